"""midiopt export: the files that meet a search as a table, a playlist, copies or links."""

from __future__ import annotations

import argparse
import time

from midiopt.cli.arguments import OUTPUT, WHERE, add_library_options, positive_integer
from midiopt.cli.console import print_error
from midiopt.cli.parser import Parser
from midiopt.cli.query_arguments import add_query, query_text
from midiopt.errors import Stopped

TYPE_CHECKING = False  # see midiopt/__init__.py
if TYPE_CHECKING:
    from collections.abc import Iterator

    from midiopt.library.copy_files import CopyCounts
    from midiopt.library.search import Found
    from midiopt.library.snapshot import Snapshot
    from midiopt.pipeline.signals import Stop

DESCRIPTION = (
    "Export the files of a database that meet a search: their facts as a table, or the files themselves, those in archives included."
    " Nothing is overwritten; the same command continues what was interrupted."
)
PROGRESS_INTERVAL = 0.1  # seconds
EXAMPLES = (
    ("midiopt export key:Am -o minor.csv", ".jsonl, .parquet, .m3u8"),
    ("midiopt export has:drums loop:4 --copy loops", "also out of archives"),
    ("midiopt export bach --link b --name '{key}/{title}'", "in folders"),
)


def add_options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.examples = EXAMPLES
    add_query(parser, "what to export")
    group = parser.group("what to export")
    group.add_argument("--sort", default="", metavar="COLUMN", help="as in midiopt search; copies are made in the order of the paths")
    group.add_argument("--limit", type=positive_integer, metavar="N", help="export at most this many files")
    targets = parser.group(WHERE).add_mutually_exclusive_group(required=True)
    targets.add_argument("-o", "--output", metavar="FILE", help="write a table: .csv, .jsonl, .parquet, or a playlist .m3u8")
    targets.add_argument("--copy", metavar="DIR", help="copy the files into this folder, members of archives and .gz decompressed")
    targets.add_argument("--link", metavar="DIR", help="make symbolic links there; what lies in archives or is compressed is copied")
    parser.group(WHERE).add_argument(
        "--name",
        default="{name}",
        metavar="TEMPLATE",
        help="name of a copy from facts in braces, with / between folders, such as '{key}/{bpm:.0f} {title}'; {name} is that of the"
        " file, {folder} that of its folder (default: %(default)s)",
    )
    parser.group(OUTPUT).add_argument("-q", "--quiet", action="store_true", help="no progress and no summary")
    add_library_options(parser, as_argument=False)


def command(options: argparse.Namespace) -> int:
    """Export, and report what could not be: exit code 3 if there is such."""
    from midiopt.cli.hidden_arguments import database_url
    from midiopt.library.search import find_all, parse_query, sort_named
    from midiopt.library.snapshot import open_snapshot
    from midiopt.pipeline.signals import Stop

    query = parse_query(query_text(options.query), reads_files=True)
    sort_named(options.sort)
    options.db = database_url(options)
    with open_snapshot(options.db) as library:
        if options.output is None:
            return _copy(library, options, query)
        from midiopt.library.export_table import export_table

        failures: list[str] = []

        def failed(path: str, reason: str) -> None:
            failures.append(path)
            print_error(f"{path}: {reason}")

        stop = Stop()
        with stop.on_signals():
            try:
                number = export_table(options.output, _until(stop, find_all(library, query, options.sort, options.limit)), failed)
            except Stopped:
                return 128 + stop.signal
    if not options.quiet:
        print(f"{number:,} files in {options.output}" + (f", {len(failures):,} could not be" if failures else ""))
    return 3 if failures else 0


def _copy(library: Snapshot, options: argparse.Namespace, query: object) -> int:
    import sys
    from contextlib import closing

    from midiopt.library.copy_files import FileCopier
    from midiopt.library.queries import content_key
    from midiopt.library.target_names import check_template
    from midiopt.pipeline.signals import Stop

    check_template(options.name)
    is_live = sys.stderr.isatty() and not options.quiet

    def failed(path: str, reason: str) -> None:
        if is_live:
            print("\r\x1b[K", end="", file=sys.stderr)
        print_error(f"{path}: {reason}")

    copier = FileCopier(options.copy or options.link, options.name, content_key(library), options.link is not None, failed)
    stop, code = Stop(), 0
    with closing(copier), stop.on_signals():
        shown = time.monotonic()
        try:
            for counts in copier.copy(_until(stop, _in_order(library, options, query))):
                if is_live and time.monotonic() - shown > PROGRESS_INTERVAL:
                    shown = time.monotonic()
                    print(f"\r\x1b[K{_summary(counts)}", end="", file=sys.stderr, flush=True)
            code = 3 if copier.counts.failed else 0
        except Stopped:
            code = 128 + stop.signal
    if is_live:
        print("\r\x1b[K", end="", file=sys.stderr)
    if not options.quiet:
        print(_summary(copier.counts) + ("; interrupted, the same command continues" if stop.signal else ""))
    return code


def _until(stop: Stop, files: Iterator[Found]) -> Iterator[Found]:
    """The files until a signal asks for the end, which raises Stopped."""
    for file in files:
        if stop.is_requested():
            raise Stopped("interrupted")
        yield file


def _in_order(library: Snapshot, options: argparse.Namespace, query: object) -> Iterator[Found]:
    """The files in the order of their paths: members of an archive follow each other."""
    from midiopt.library.search import Query, find_all

    assert isinstance(query, Query)
    if options.limit is None:
        return find_all(library, query, "path")
    return iter(sorted(find_all(library, query, options.sort, options.limit), key=lambda file: file.path.encode()))


def _summary(counts: CopyCounts) -> str:
    parts = [
        f"{counts.copied:,} files copied" if counts.copied or not counts.linked else "",
        f"{counts.linked:,} linked" if counts.linked else "",
        f"{counts.there:,} there already" if counts.there else "",
        f"{counts.failed:,} could not be" if counts.failed else "",
    ]
    return ", ".join(filter(None, parts))
