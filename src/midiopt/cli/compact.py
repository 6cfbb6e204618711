"""midiopt compact: few large parts in a Parquet directory in place of many small ones."""

from __future__ import annotations

import argparse

from midiopt.cli.arguments import WHERE
from midiopt.cli.parser import Parser

DESCRIPTION = (
    "Join the small parts of a Parquet directory, which runs and the tasks of a cluster leave, and keep one row of a path that several"
    " of them have: the latest."
)
EXAMPLES = (
    ("midiopt compact parquet:facts", "at any time"),
    ("midiopt compact facts && du -sh facts", "the directory alone will do"),
    ("midiopt compact parquet:/data/facts -q", "from cron"),
)


def add_options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.examples = EXAMPLES
    group = parser.group(WHERE)
    group.add_argument("url", metavar="DIR", help="the directory, as in --db parquet:DIR")
    group.add_argument("-q", "--quiet", action="store_true", help="no summary")


def command(options: argparse.Namespace) -> int:
    """Compact, and say what has changed."""
    from midiopt.errors import MissingExtra
    from midiopt.sinks.urls import parquet_path
    from midiopt.wording import counted, size_text

    try:
        from midiopt.sinks.parquet_compact import compact
    except ImportError as error:
        raise MissingExtra("Parquet", "arrow") from error
    path = parquet_path(options.url)
    result = compact(options.url if path is None else path)
    if not options.quiet:
        print(
            f"{counted(result.rows, 'row')} in {counted(result.parts_after, 'part')} of {size_text(result.bytes_after)}, before"
            f" {result.parts_before:,} of {size_text(result.bytes_before)}"
            + (f"; {counted(result.repeated, 'older row')} of the same paths deleted" if result.repeated else "")
        )
    return 0
