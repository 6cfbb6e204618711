"""midiopt search: the files that meet a search."""

from __future__ import annotations

import argparse

from midiopt.cli.arguments import OUTPUT, add_library_options, positive_integer
from midiopt.cli.json_output import JsonItems
from midiopt.cli.parser import Parser
from midiopt.cli.query_arguments import add_query, query_text

TYPE_CHECKING = False  # see midiopt/__init__.py
if TYPE_CHECKING:
    from collections.abc import Iterable

    from midiopt.library.search import Found, Query
    from midiopt.library.snapshot import Snapshot

DESCRIPTION = "List the files of a database that meet a search. Nothing is written."
TABLE_FILES = 50  # that a table shows without --limit
MAX_COUNT = 10_000  # files that are counted below a table

EXAMPLES = (
    ('midiopt search key:Am program:"slap bass"', "a slap bass in A minor"),
    ("midiopt search waltz -has:drums --sort bpm", "not with drums, slow ones first"),
    ("midiopt search loop:4 --paths0 | xargs -0r ls", "for programs"),
)


def add_options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.examples = EXAMPLES
    parser.list_terms = _terms
    add_query(parser, "what to find")
    group = parser.group("what to find")
    group.add_argument(
        "--sort",
        default="",
        metavar="COLUMN",
        help="path, title, bpm, key, duration, notes, polyphony, swing, size or added; -bpm begins with the greatest"
        " (default: the order in which the contents were found)",
    )
    group.add_argument(
        "--limit", type=positive_integer, metavar="N", help=f"list at most this many files (default: {TABLE_FILES} in a table, else all)"
    )
    add_library_options(parser, as_argument=False)
    formats = parser.group(OUTPUT).add_mutually_exclusive_group()
    formats.add_argument("--json", action="store_true", help="print one JSON object, for programs")
    formats.add_argument("--jsonl", action="store_true", help="print JSON Lines: an object per line")
    formats.add_argument("--csv", action="store_true", help="print comma-separated values with a line of names")
    formats.add_argument("--paths", action="store_true", help="print a path per line, as the database has it")
    formats.add_argument("--paths0", action="store_true", help="print the paths as the system has them, each with a NUL after it")
    formats.add_argument("--count", action="store_true", help="print the number of files")


def _terms() -> list[tuple[str, str]]:
    from midiopt.library.search_terms import TERMS

    return [(" ".join(term.examples), term.meaning.replace("`", "")) for term in TERMS.values()]


def command(options: argparse.Namespace) -> int:
    """Print the files, as they are found but for the table."""
    from midiopt.cli.hidden_arguments import database_url
    from midiopt.library.search import count, find_all, parse_query, sort_named
    from midiopt.library.snapshot import open_snapshot
    from midiopt.sinks.urls import without_password

    query = parse_query(query_text(options.query), reads_files=True)
    sort_named(options.sort)
    options.db = database_url(options)
    with open_snapshot(options.db) as library, JsonItems(options, "search", without_password(options.db)) as items:
        if options.count:
            print(count(library, query, options.limit))
            return 0
        is_table = not (items.wanted or options.csv or options.paths or options.paths0)
        limit = options.limit or (TABLE_FILES if is_table else None)
        found = find_all(library, query, options.sort, limit)
        if is_table:
            _print_table(library, query, list(found), limit)
        elif items.wanted:
            for file in found:
                items.add(file.facts())
                items.totals["files"] = int(str(items.totals.get("files", 0))) + 1
        elif options.csv:
            _print_csv(found)
        else:
            _print_paths(found, options.paths0)
    return 0


def _print_table(library: Snapshot, query: Query, found: list[Found], limit: int | None) -> None:
    import sys

    from midiopt.cli.found_table import table
    from midiopt.library.search import count

    if not found:
        print("no file meets the search", file=sys.stderr)
        return
    print(table(found))
    if limit is not None and len(found) == limit:
        number = count(library, query, MAX_COUNT + 1)
        if number > limit:
            of = f"{number:,}" if number <= MAX_COUNT else f"more than {MAX_COUNT:,}"
            print(f"{len(found):,} of {of} files; --limit lists more", file=sys.stderr)


def _print_csv(found: Iterable[Found]) -> None:
    import csv
    import sys

    from midiopt.library.search import FACTS, csv_values
    from midiopt.wording import printable_text

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(FACTS)
    is_shown = sys.stdout.isatty()
    for file in found:
        values = csv_values(file)
        writer.writerow([printable_text(value) if is_shown and isinstance(value, str) else value for value in values])


def _print_paths(found: Iterable[Found], is_for_programs: bool) -> None:
    import sys

    from midiopt.sources.paths import path_bytes
    from midiopt.wording import printable_text

    for file in found:
        if is_for_programs:
            sys.stdout.buffer.write(path_bytes(file.path) + b"\0")
        else:
            print(printable_text(file.path) if sys.stdout.isatty() else file.path)
