"""Types of command-line arguments: argparse reports their errors with the name of the option."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence

from midiopt.cli.parser import Parser, suggestion
from midiopt.cli.quantities import parse_bytes, parse_count, parse_seconds
from midiopt.limits import DATABASE, check_executor, check_option

TYPE_CHECKING = False  # see midiopt/__init__.py
if TYPE_CHECKING:
    from typing import Any

WHERE, OUTPUT, RARE = "where to", "what to print", "rarely needed"  # titles of groups of options
DATABASE_VARIABLE = "MIDIOPT_DB"
DATABASE_DEFAULT = f"default: {DATABASE}, or the environment variable {DATABASE_VARIABLE}"


def default_database() -> str:
    """The database of a command that names none."""
    return os.environ.get(DATABASE_VARIABLE) or DATABASE


class _Database(argparse.Action):
    """The database, as an argument or an option."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, value: Any, option_string: str | None = None) -> None:
        """Store it, unless another was named before."""
        if namespace.db not in (parser.get_default("db"), value):
            parser.error("name the database once: as an argument or by --db")
        namespace.db = value


def add_library_options(parser: Parser, as_argument: bool = True) -> None:
    """Add the arguments of every command that reads a database; without `as_argument` only an option names it."""
    group = parser.group("which database")
    meaning = f"a path or postgresql://user@host/name ({DATABASE_DEFAULT})"
    if as_argument:
        group.add_argument("database", nargs="?", default=argparse.SUPPRESS, action=_Database, metavar="DATABASE", help=meaning)
        meaning = "the same as an option"
    group.add_argument("--db", default=default_database(), action=_Database, metavar="URL", help=meaning)
    add_schema_option(group)


def add_schema_option(group: Any) -> None:
    """Add the option that names a schema of PostgreSQL."""
    group.add_argument("--schema", metavar="NAME", help="the PostgreSQL schema with the tables (default: the first of search_path)")


def add_json_options(parser: Parser) -> None:
    """Add the options of every command that prints facts for programs."""
    group = parser.group(OUTPUT)
    formats = group.add_mutually_exclusive_group()
    formats.add_argument("--json", action="store_true", help="print one JSON object, for programs")
    formats.add_argument("--jsonl", action="store_true", help="print JSON Lines: an object per line")


def positive_integer(text: str) -> int:
    """An integer from 1."""
    try:
        value = parse_count(text)
    except (ValueError, KeyError):
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be a positive integer, such as 500 or 10k, not {text!r}")
    return value


def prune_option(text: str) -> bool | str:
    """The value of --prune, which is ``missing`` without one."""
    if text not in ("missing", "all"):
        raise argparse.ArgumentTypeError(f"must be --prune or --prune=all, not {text!r}{suggestion(text, ['all'])}")
    return text == "missing" or text


def byte_option(name: str) -> Callable[[str], object]:
    """The type of an option of RunOptions that is a size."""
    return _run_option(name, parse_bytes, "bytes, such as 64M")


def count_option(name: str) -> Callable[[str], object]:
    """The type of an option of RunOptions that is a number of things."""
    return _run_option(name, parse_count, "a number, such as 2000 or 8M")


def seconds_option(name: str) -> Callable[[str], object]:
    """The type of an option of RunOptions that is a time."""
    return _run_option(name, parse_seconds, "a time, such as 30s or 5m")


def workers_option(text: str) -> object:
    """The number of workers; None is one per core."""
    return None if text == "auto" else _run_option("workers", parse_count, "a number or auto", ["auto"])(text)


def executor_option(text: str) -> str:
    """Where files are analysed."""
    try:
        return check_executor(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None


def _run_option(name: str, parse: Callable[[str], float], what: str, words: Sequence[str] = ()) -> Callable[[str], object]:
    """RunOptions knows the valid range."""

    def convert(text: str) -> object:
        try:
            value = parse(text)
        except (ValueError, KeyError, OverflowError):
            raise argparse.ArgumentTypeError(f"must be {what}, not {text!r}{suggestion(text, words)}") from None
        try:
            check_option(name, value)
        except ValueError as problem:
            raise argparse.ArgumentTypeError(str(problem)) from None
        return value

    return convert
