"""midiopt export: the files that meet a search as a table, a playlist, copies or links."""

from __future__ import annotations

import argparse
import time

from midiopt.cli.arguments import OUTPUT, WHERE, add_library_options, positive_integer
from midiopt.cli.console import print_error
from midiopt.cli.parser import Parser
from midiopt.cli.query_arguments import add_query, query_text
from midiopt.errors import Stopped, TargetFull
from midiopt.wording import counted

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
DEFAULT_NAME = "{name}"
EXAMPLES = (
    ("midiopt export key:Am -o minor.csv", ".jsonl, .parquet, .m3u8"),
    ("midiopt export bach --copy b --name '{key}/{title}'", "also out of archives"),
    ("midiopt export --split 80:10:10 --group near -o a.csv", "for training"),
)


def add_options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.examples = EXAMPLES
    add_query(parser, "what to export")
    group = parser.group("what to export")
    group.add_argument("--sort", default="", metavar="COLUMN", help="as in midiopt search; copies are made in the order of the paths")
    group.add_argument("--limit", type=positive_integer, metavar="N", help="export at most this many files")
    group.add_argument(
        "--split",
        type=shares,
        metavar="SHARES",
        help="split for machine learning, such as 80:10:10 into train, validation and test, or 90:10: a table or a folder each; copies"
        " stay together",
    )
    group.add_argument("--group", choices=["near"], help="with --split: near-duplicates stay together, too")
    targets = parser.group(WHERE).add_mutually_exclusive_group(required=True)
    targets.add_argument("-o", "--output", metavar="FILE", help="write a table: .csv, .jsonl, .parquet, or a playlist .m3u8")
    targets.add_argument("--copy", metavar="DIR", help="copy the files into this folder, decompressed, members of archives included")
    targets.add_argument("--link", metavar="DIR", help="make symbolic links there; what lies in archives or is compressed is copied")
    parser.group(WHERE).add_argument(
        "--name",
        default=DEFAULT_NAME,
        metavar="TEMPLATE",
        help="name of a copy from facts in braces, with / between folders, such as '{key}/{bpm:.0f} {title}'; {name} is that of the"
        " file, {folder} that of its folder (default: %(default)s)",
    )
    parser.group(OUTPUT).add_argument("-q", "--quiet", action="store_true", help="no progress and no summary")
    add_library_options(parser, as_argument=False)


def shares(text: str) -> dict[str, float]:
    """The parts of a split and their shares."""
    from midiopt.library.split import parse_shares

    try:
        return parse_shares(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be two or three shares, such as 80:10:10, not {text!r}") from None


def command(options: argparse.Namespace) -> int:
    """Export, and report what could not be: exit code 3 if there is such."""
    from midiopt.cli.hidden_arguments import database_url
    from midiopt.errors import MidioptError
    from midiopt.library.search import find_all, parse_query, sort_named
    from midiopt.library.snapshot import open_snapshot

    if options.group and not options.split:
        raise MidioptError("--group says what --split keeps together; name both")
    if options.output is not None and options.name != DEFAULT_NAME:
        raise MidioptError("--name is for copies and links; a table has the name that follows -o")
    query = parse_query(query_text(options.query), reads_files=True)
    sort_named(options.sort)
    options.db = database_url(options)
    with open_snapshot(options.db) as library:
        if not options.split:
            return _export(library, options, query)
        from midiopt.library.split import split

        parts = split(library, find_all(library, query, options.sort, options.limit), options.split, options.group == "near")
        code = 0
        for name in options.split:
            of_part = argparse.Namespace(**vars(options), keep=lambda file, name=name: parts.part_of(file) == name)
            for target in ("output", "copy", "link"):
                if value := getattr(options, target):
                    setattr(of_part, target, _part_target(value, name, is_file=target == "output"))
            code = code if code > 3 else max(code, _export(library, of_part, query))
    return code


def _part_target(target: str, name: str, is_file: bool) -> str:
    """The file `songs.train.csv` beside `songs.csv`, or the folder `train` within one."""
    import os

    stem, suffix = os.path.splitext(target) if is_file else (os.path.join(target, ""), "")
    return f"{stem}.{name}{suffix}" if is_file else stem + name


def _export(library: Snapshot, options: argparse.Namespace, query: object) -> int:
    """Export to one target; the exit code."""
    if options.output is None:
        return _copy(library, options, query)
    from midiopt.library.export_table import export_table
    from midiopt.pipeline.signals import Stop

    failures = 0

    def failed(path: str, reason: str) -> None:
        nonlocal failures
        failures += 1
        print_error(f"{path}: {reason}")

    stop = Stop()
    with stop.on_signals():
        try:
            number = export_table(options.output, _until(stop, _found(library, options, query, options.sort)), failed)
        except Stopped:
            return 128 + stop.signal
    if not options.quiet:
        print(f"{counted(number, 'file')} in {options.output}" + (f", {failures:,} could not be" if failures else ""))
    return 3 if failures else 0


def _found(library: Snapshot, options: argparse.Namespace, query: object, sort: str) -> Iterator[Found]:
    """The files to export, of a split those of one part."""
    from midiopt.library.search import Query, find_all

    assert isinstance(query, Query)
    return filter(getattr(options, "keep", None) or (lambda file: True), find_all(library, query, sort, options.limit))


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
    stop, code, full = Stop(), 0, None
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
        except TargetFull as problem:
            code, full = 1, problem
    if is_live:
        print("\r\x1b[K", end="", file=sys.stderr)
    if full:
        print_error(full)
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
    if options.limit is None:
        return _found(library, options, query, "path")
    return iter(sorted(_found(library, options, query, options.sort), key=lambda file: file.path.encode()))


def _summary(counts: CopyCounts) -> str:
    parts = [
        f"{counted(counts.copied, 'file')} copied" if counts.copied or not counts.linked else "",
        f"{counts.linked:,} linked" if counts.linked else "",
        f"{counts.there:,} there already" if counts.there else "",
        f"{counts.failed:,} could not be" if counts.failed else "",
    ]
    return ", ".join(filter(None, parts))
