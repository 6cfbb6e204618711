"""The words of a search on the command line, whose quotes the shell has taken away."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from midiopt.cli.parser import Parser
from midiopt.errors import QueryError
from midiopt.sinks.urls import is_postgres, without_password
from midiopt.sources.sniff import is_sqlite_database


def add_query(parser: Parser, what: str) -> None:
    """Add the argument of every command that takes a search."""
    parser.has_query = True
    parser.group(what).add_argument(
        "query",
        nargs="*",
        metavar="QUERY",
        help="words in the title, track names or path, and terms such as key:Am, bpm:118..124 or has:drums; - before one means not,"
        " or stands between two; without any, all files. midiopt help search lists the terms",
    )


def query_text(arguments: Sequence[str]) -> str:
    """The arguments as one search. One with spaces is a term whose value the shell has unquoted, if it can be read so, or else a search
    of its own, as if in parentheses. Raises QueryError for one that names a database, which ``status music.db`` takes as an argument."""
    for argument in arguments:
        if is_postgres(argument) or argument.startswith(("sqlite:///", "parquet:")) or is_sqlite_database(argument):
            raise QueryError(f"{without_password(argument)} is a database, no word of a search: put --db before it")
    return " ".join(map(_quoted, arguments))


def _quoted(argument: str) -> str:
    from midiopt.library.search_query import parse_query
    from midiopt.library.search_terms import TERMS, term_condition

    if not any(c.isspace() for c in argument):
        return argument
    start, colon, value = argument.partition(":")
    with contextlib.suppress(QueryError):
        if colon and '"' not in argument and start.lstrip("-").lower() in TERMS:
            term_condition(start.lstrip("-"), value)
            return f'{start}:"{value}"'
    if "or" in argument.split():  # it binds more loosely than the space before the next argument
        with contextlib.suppress(QueryError):
            parse_query(argument)
            return f"({argument})"
    return argument
