"""midiopt analyze: a run from the command line."""

from __future__ import annotations

import argparse
import gc
import json
import math
import signal
import sys
from collections.abc import Callable, Sequence

from midiopt.cli.arguments import Subparsers
from midiopt.cli.console import guarded
from midiopt.cli.progress import TerminalProgress
from midiopt.errors import MidioptError, SourceError
from midiopt.limits import FILE_TIMEOUT, MAX_EVENTS, MAX_EVENTS_CAP, MAX_FILE_BYTES, MAX_FILE_BYTES_CAP
from midiopt.pipeline.allocator import ALLOCATORS
from midiopt.pipeline.options import BATCH_SIZE, DATABASE
from midiopt.pipeline.run import run
from midiopt.pipeline.signals import AT_ONCE
from midiopt.sinks import TIMEOUT, WRITERS
from midiopt.sinks.urls import without_password
from midiopt.sources.reader import READERS

DESCRIPTION = "Analyse MIDI files into a database of musical facts. Running it again analyses only what is new or changed."


def add_parser(subparsers: Subparsers) -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser("analyze", help="analyse files into a database", description=DESCRIPTION)
    add_options(parser)
    parser.set_defaults(run=run_command)


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="a MIDI file, an archive, a folder (walked for .mid .midi .smf .kar .rmi, .zip, .tar, .tgz and the like), or @list.txt",
    )
    parser.add_argument(
        "--db",
        default=DATABASE,
        metavar="URL",
        help="where the facts go: a SQLite file (a path or sqlite:///path) or postgresql://user@host/name (default: %(default)s)",
    )
    parser.add_argument("--workers", type=whole_number, metavar="N", help="analysing processes (default: one a usable core)")
    parser.add_argument(
        "--batch-size", type=whole_number, default=BATCH_SIZE, metavar="N", help="files written in one transaction (default: %(default)s)"
    )
    parser.add_argument(
        "--writers",
        type=whole_number,
        default=WRITERS,
        metavar="N",
        help="batches that PostgreSQL commits at a time, each over a connection of its own (default: %(default)s)",
    )
    parser.add_argument(
        "--sink-timeout",
        type=seconds,
        default=TIMEOUT,
        metavar="SECONDS",
        help="wait so long for a database that is away or locked, then end the run (default: %(default)g)",
    )
    parser.add_argument(
        "--reader", choices=READERS, default="read", help="how workers read files: mmap is there to be measured (default: %(default)s)"
    )
    parser.add_argument(
        "--allocator", choices=ALLOCATORS, default="system", help="the workers' malloc, there to be measured (default: %(default)s)"
    )
    parser.add_argument(
        "--follow-links", action="store_true", help="take a link in a folder for what it leads to; each folder is walked once"
    )
    parser.add_argument(
        "--file-timeout",
        type=seconds,
        default=FILE_TIMEOUT,
        metavar="SECONDS",
        help="a file that takes longer is given up as crashed (default: %(default)g)",
    )
    parser.add_argument(
        "--max-file-bytes",
        type=up_to(MAX_FILE_BYTES_CAP),
        default=MAX_FILE_BYTES,
        metavar="N",
        help=f"a larger file is rejected (default: %(default)s; at most {MAX_FILE_BYTES_CAP})",
    )
    parser.add_argument(
        "--max-events",
        type=up_to(MAX_EVENTS_CAP),
        default=MAX_EVENTS,
        metavar="N",
        help=f"a file with more is rejected (default: %(default)s; at most {MAX_EVENTS_CAP})",
    )
    parser.add_argument("--keep-old", action="store_true", help="do not analyse again what an older analyser has analysed")
    parser.add_argument(
        "--prune", action="store_true", help="delete the rows of files that are gone from the folders named, and from archives"
    )
    parser.add_argument("--log", metavar="FILE", help="append a JSON line for each file that is not ok and for each event of the run")
    parser.add_argument("--json", action="store_true", help="print the summary as one JSON object on standard output")
    parser.add_argument("--quiet", action="store_true", help="show no progress and no table")


def whole_number(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def up_to(most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if whole_number(text) > most:
            raise argparse.ArgumentTypeError(f"{text} is over {most}")
        return int(text)

    return parse


def seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return number


def run_command(options: argparse.Namespace) -> int:
    """The analyze command; returns the exit code: 0 finished, 1 could not, 2 wrong usage, 128 + N after signal N."""
    gc.freeze()  # what is imported stays: looking through it for garbage takes 20 ms each time
    try:
        with TerminalProgress(options.quiet) as progress:
            summary = run(
                options.sources,
                db=options.db,
                workers=options.workers,
                batch_size=options.batch_size,
                progress=progress,
                reader=options.reader,
                allocator=options.allocator,
                writers=options.writers,
                sink_timeout=options.sink_timeout,
                follow_links=options.follow_links,
                file_timeout=options.file_timeout,
                max_file_bytes=options.max_file_bytes,
                max_events=options.max_events,
                keep_old=options.keep_old,
                prune=options.prune,
                log=options.log,
            )
            progress.finish(summary, without_password(options.db))
    except SourceError as problem:
        print(f"midiopt: {problem}", file=sys.stderr)
        return 2
    except MidioptError as problem:
        print(f"midiopt: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as second:
        print(AT_ONCE, file=sys.stderr)
        return 128 + (second.args[0] if second.args else signal.SIGINT)
    if options.json:
        print(json.dumps(summary.to_json()))
    if summary.interrupted:
        print("midiopt: stopped; what was analysed is written, run the same command again to go on", file=sys.stderr)
        return 128 + summary.interrupted
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m midiopt.orchestrator",
        description=DESCRIPTION,
    )
    add_options(parser)
    options = parser.parse_args(arguments)
    return guarded(lambda: run_command(options))
