"""The words of a search on the command line, whose quotes the shell has taken away."""

from __future__ import annotations

from collections.abc import Sequence

from midiopt.cli.parser import Parser


def add_query(parser: Parser, what: str) -> None:
    """Add the argument of every command that takes a search."""
    parser.has_query = True
    parser.group(what).add_argument(
        "query",
        nargs="*",
        metavar="QUERY",
        help="words in the title, track names or path, and terms such as key:Am, bpm:118..124 or has:drums; - before one means not,"
        " or stands between two; without any, all files. docs/search.md lists the terms",
    )


def query_text(arguments: Sequence[str]) -> str:
    """The arguments as one search. One with spaces is a term whose value the shell has unquoted, if it can be read so, or else a search
    of its own."""
    return " ".join(map(_quoted, arguments))


def _quoted(argument: str) -> str:
    from midiopt.errors import QueryError
    from midiopt.library.search_terms import TERMS, term_condition

    start, colon, value = argument.partition(":")
    if not colon or '"' in argument or not any(c.isspace() for c in value) or start.lstrip("-").lower() not in TERMS:
        return argument
    try:
        term_condition(start.lstrip("-"), value)
    except QueryError:
        return argument
    return f'{start}:"{value}"'
