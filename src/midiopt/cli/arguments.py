"""Types of command-line arguments: argparse reports their errors with the name of the option."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from midiopt.limits import DATABASE, check_option


def add_library_options(parser: argparse.ArgumentParser, json_help: str) -> None:
    """Add the options of every command that reads a database."""
    parser.add_argument("--db", default=DATABASE, metavar="URL", help="the database (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help=json_help)


def positive_integer(text: str) -> int:
    """An integer from 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a positive integer, not {text!r}")
    return int(text)


def prune_option(text: str) -> bool | str:
    """The value of --prune, which is ``missing`` without one."""
    if text not in ("missing", "all"):
        raise argparse.ArgumentTypeError(f"must be --prune or --prune=all, not {text!r}")
    return text == "missing" or text


def run_option(name: str, number: type[int] | type[float]) -> Callable[[str], int | float]:
    """The type of a numeric option of RunOptions, which knows its valid range."""

    def parse(text: str) -> int | float:
        try:
            value = number(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"must be a number, not {text!r}") from None
        try:
            check_option(name, value)
        except ValueError as problem:
            raise argparse.ArgumentTypeError(str(problem)) from None
        return value

    return parse
