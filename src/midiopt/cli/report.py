"""midiopt report: one page about a library."""

from __future__ import annotations

import argparse

from midiopt.cli.arguments import add_library_options
from midiopt.cli.parser import Parser
from midiopt.cli.query_arguments import add_query, query_text

DESCRIPTION = (
    "Write one HTML page about a database, or about the files that a search finds: totals, charts and examples. It needs no network and"
    " no other file."
)
EXAMPLES = (
    ("midiopt report", "about midiopt.db, into report.html"),
    ("midiopt report key:minor -o minor.html", "about some of its files"),
    ("midiopt report -o - > page.html", "to standard output"),
)
DEFAULT = "report.html"


def add_options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.examples = EXAMPLES
    add_query(parser, "what about")
    parser.group("where to").add_argument(
        "-o",
        "--output",
        default=DEFAULT,
        metavar="FILE",
        help=f"the page, - for standard output; only a report of midiopt is replaced (default: {DEFAULT})",
    )
    add_library_options(parser, as_argument=False)


def command(options: argparse.Namespace) -> int:
    """Write the page, and say what it is about."""
    import datetime as dt
    import sys

    from midiopt.cli.hidden_arguments import database_url
    from midiopt.cli.progress_text import ProgressText
    from midiopt.library.report import library_report
    from midiopt.library.search import parse_query
    from midiopt.library.snapshot import open_snapshot
    from midiopt.report.output import check_output, write_page
    from midiopt.report.page import report_page
    from midiopt.sinks.urls import without_password
    from midiopt.wording import counted, printable_text

    query = parse_query(query_text(options.query), reads_files=True)
    options.db = database_url(options)
    if options.output != "-":
        check_output(options.output)
    with open_snapshot(options.db) as library, ProgressText() as progress:
        report = library_report(library, query, progress.show)
    page = report_page(report, without_password(options.db), dt.datetime.now(dt.UTC))
    if options.output == "-":
        sys.stdout.buffer.write(page.encode())
        return 0
    write_page(options.output, page)
    print(f"{printable_text(options.output)}: {counted(report.files, 'file')}, {len(page.encode()) / 1000:,.0f} KB")
    return 0
