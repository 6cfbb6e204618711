"""midiopt analyze: a run from the command line."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from midiopt.cli.arguments import (
    DATABASE_DEFAULT,
    DATABASE_VARIABLE,
    OUTPUT,
    RARE,
    WHERE,
    add_json_options,
    add_schema_option,
    byte_option,
    count_option,
    default_database,
    executor_option,
    prune_option,
    seconds_option,
    workers_option,
)
from midiopt.cli.console import NOTHING_FOUND, passed, print_error, run_command
from midiopt.cli.json_output import described, print_json
from midiopt.cli.parser import Parser
from midiopt.cli.quantities import bytes_text, count_text, seconds_text
from midiopt.errors import MidioptError, SourceError
from midiopt.limits import (
    BATCH_SIZE,
    DASK,
    DASK_LOCAL,
    FILE_TIMEOUT,
    MAX_EVENTS,
    MAX_EVENTS_CAP,
    MAX_FILE_BYTES,
    MAX_FILE_BYTES_CAP,
    PROCESSES,
    SINK_TIMEOUT,
    WRITERS,
)

TYPE_CHECKING = False  # see midiopt/__init__.py
if TYPE_CHECKING:
    from midiopt.pipeline.options import RunOptions

DESCRIPTION = "Analyse MIDI files into a database of musical facts. A second run analyses only new and changed files."
EXAMPLES = (
    ("midiopt analyze ~/Music/midi", "into midiopt.db in this folder"),
    ("midiopt analyze packs/ more.zip --db music.db", "several sources"),
    ("find /disk -name '*.mid' | midiopt analyze -", "a list of paths"),
)


def add_options(parser: Parser) -> None:
    """Add the arguments of the command; each option of RunOptions has its name and its default."""
    parser.examples = EXAMPLES
    _add_sources(parser)
    _add_places(parser)
    _add_limits(parser)
    rare = parser.group(RARE)
    rare.add_argument("--keep-old", action="store_true", help="keep the results of older analyser versions instead of updating them")
    rare.add_argument(
        "--batch-size",
        type=count_option("batch_size"),
        default=BATCH_SIZE,
        metavar="N",
        help=f"number of files per transaction (default: {BATCH_SIZE})",
    )
    rare.add_argument(
        "--writers",
        type=count_option("writers"),
        default=WRITERS,
        metavar="N",
        help="number of batches that PostgreSQL commits at the same time, each over its own connection, and of indexes that it makes"
        f" (default: {WRITERS})",
    )
    rare.add_argument(
        "--sink-timeout",
        type=seconds_option("sink_timeout"),
        default=SINK_TIMEOUT,
        metavar="TIME",
        help=f"how long to wait for an unavailable or locked database before giving up (default: {seconds_text(SINK_TIMEOUT)})",
    )


def _add_sources(parser: Parser) -> None:
    group = parser.group("what to analyse")
    group.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="a MIDI file, an archive, a folder (searched for .mid .midi .smf .kar .rmi, .zip, .tar, .tgz, .parquet and others), @FILE, "
        "a list of paths, one per line, - for a list from standard input, or a URL: s3://BUCKET/PREFIX, gs://, az://, http(s):// or ftp://",
    )
    group.add_argument("--follow-links", action="store_true", help="follow symbolic links in folders; each folder is searched once")
    parser.values = {"--prune": "missing"}
    group.add_argument(
        "--prune",
        type=prune_option,
        default=False,
        nargs="?",
        metavar="all",
        help="delete the rows of files that have disappeared from the given folders and from archives; --prune=all also where a "
        "folder is empty or gone, lies on another device, or lacks more than a tenth of its files and more than a hundred: its disk "
        "may not be mounted",
    )
    group.add_argument(
        "--tracks",
        action="store_true",
        help="also store facts of each track, in the table tracks; files that were analysed without are analysed again",
    )
    group.add_argument(
        "--column",
        metavar="NAME",
        help="the column of .parquet, .arrow and .feather files that has the MIDI files, where several might; it is part of the paths then",
    )
    group.add_argument("--dry-run", action="store_true", help="show what the run would do, and write nothing")
    group.add_argument(
        "--watch", action="store_true", help="keep running: analyse again after each change of the folders, once it has settled"
    )


def _add_places(parser: Parser) -> None:
    group = parser.group(WHERE)
    group.add_argument(
        "--db",
        default=default_database(),
        metavar="URL",
        help=f"the database: an SQLite file (a path or sqlite:///path), postgresql://user@host/name, or parquet:DIR, a folder of Parquet "
        f"files for other programs ({DATABASE_DEFAULT})",
    )
    add_schema_option(group)
    group.add_argument(
        "--log", metavar="FILE", help="append the events of the run and each file that is not ok to FILE, one JSON object per line"
    )
    add_json_options(parser)
    parser.group(OUTPUT).add_argument("-q", "--quiet", action="store_true", help="show neither progress nor the summary table")


def _add_limits(parser: Parser) -> None:
    careful = parser.group("how careful")
    careful.add_argument(
        "--file-timeout",
        type=seconds_option("file_timeout"),
        default=FILE_TIMEOUT,
        metavar="TIME",
        help=f"time per file after which it is given up as crashed (default: {seconds_text(FILE_TIMEOUT)})",
    )
    careful.add_argument(
        "--max-file-bytes",
        type=byte_option("max_file_bytes"),
        default=MAX_FILE_BYTES,
        metavar="SIZE",
        help=f"reject larger files (default: {bytes_text(MAX_FILE_BYTES)}; at most {bytes_text(MAX_FILE_BYTES_CAP)})",
    )
    careful.add_argument(
        "--max-events",
        type=count_option("max_events"),
        default=MAX_EVENTS,
        metavar="N",
        help=f"reject files with more events (default: {count_text(MAX_EVENTS)}; at most {count_text(MAX_EVENTS_CAP)})",
    )
    fast = parser.group("how fast")
    fast.add_argument(
        "--workers",
        type=workers_option,
        metavar="N",
        help="number of worker processes (default: auto, which is one per available core, and in a container no more than its quota)",
    )
    fast.add_argument(
        "--executor",
        type=executor_option,
        default=PROCESSES,
        metavar="NAME",
        help=f"where the files are analysed: {PROCESSES} (of this machine), {DASK_LOCAL} or {DASK}HOST:PORT, the scheduler of a cluster "
        f"whose workers have midiopt and the same files (default: {PROCESSES})",
    )


def command(arguments: Namespace) -> int:
    """Run the analysis; returns the exit code.

    0 finished, 1 failed or nothing pruned although asked for, 2 wrong usage, 3 finished but something could not be read or nothing
    was found, 128 + N after signal N.
    """
    import gc
    from dataclasses import fields

    from midiopt.cli.hidden_arguments import database_url
    from midiopt.pipeline.options import RunOptions

    arguments.db = database_url(arguments)
    gc.freeze()  # imported objects are never freed: without this, each collection scans them, which takes 20 ms
    options = RunOptions(**{field.name: getattr(arguments, field.name) for field in fields(RunOptions)})
    if not arguments.watch:
        return _analyze(arguments, options)
    import os

    from midiopt.cli.watch import watch_sources
    from midiopt.sources.urls import is_url

    if arguments.dry_run:
        print_error("--watch writes, and --dry-run does not: name one of them")
        return 2
    if any(is_url(os.fsencode(source)) for source in arguments.sources):
        print_error("--watch watches folders; an object store is analysed again by another run, such as one of a timer")
        return 2
    try:
        return watch_sources(arguments.sources, arguments.follow_links, arguments.quiet, lambda: _analyze(arguments, options))
    except SourceError as problem:
        print_error(problem)
        return 2


def _analyze(arguments: Namespace, options: RunOptions) -> int:
    """One run."""
    import shutil
    import signal
    import sys

    from midiopt.cli.dry_run import show_dry_run
    from midiopt.cli.progress import RunProgress
    from midiopt.cli.python_run import run
    from midiopt.pipeline.signals import ABORT_MESSAGE
    from midiopt.sinks.urls import parquet_path, without_password
    from midiopt.wording import printable_text

    try:
        if arguments.dry_run:
            return show_dry_run(arguments, options)
        with RunProgress(arguments.quiet) as progress:
            summary = run(arguments.sources, arguments.db, options, progress=progress, executor=arguments.executor)
            progress.finish(summary, without_password(arguments.db))
        if sys.stderr.isatty() and not (arguments.quiet or summary.interrupted):
            if summary.analysed and not summary.skipped and parquet_path(arguments.db) is None and shutil.which("midiopt"):
                print(printable_text(next_commands(arguments.db)), file=sys.stderr)
            if summary.gone and not options.prune:
                print("next: files that are no longer there keep their rows, until --prune deletes these", file=sys.stderr)
    except SourceError as problem:
        print_error(problem)
        return 2
    except MidioptError as problem:
        print_error(problem)
        return 1
    except KeyboardInterrupt as second:
        print(ABORT_MESSAGE, file=sys.stderr)
        return 128 + (second.args[0] if second.args else signal.SIGINT)
    if arguments.json or arguments.jsonl:
        print_json(described("analyze", without_password(arguments.db)) | summary.to_json())
    for refusal in summary.refusals:
        print_error(refusal)
    if arguments.quiet:
        for unread in summary.problems:
            print_error(f"not read: {unread}")
        if not summary.files and not summary.interrupted:
            print_error(NOTHING_FOUND)
            for sentence in passed(summary):
                print_error(sentence)
    if summary.interrupted:
        print("midiopt: interrupted; all results so far are written, run the same command again to resume", file=sys.stderr)
        return 128 + summary.interrupted
    if summary.refusals:
        return 1
    return 3 if summary.problems or not summary.files else 0


def next_commands(url: str) -> str:
    """What may be done with a database that is new, as a line: commands that need no password in them."""
    import shlex

    from midiopt.sinks.urls import without_password

    has_secret = url != default_database() and url != without_password(url)
    option = "" if has_secret or url == default_database() else f" --db {shlex.quote(url)}"
    where = f", with this database in {DATABASE_VARIABLE}" if has_secret else ""
    return f"next{where}: midiopt status{option}, midiopt search key:Am{option} or midiopt browse{option}"


def main(arguments: Sequence[str] | None = None) -> int:
    """python -m midiopt.orchestrator."""
    parser = Parser(prog="python -m midiopt.orchestrator", description=DESCRIPTION)
    add_options(parser)
    parser.complete()
    parsed = parser.parse_args(arguments)
    return run_command(lambda: command(parsed))
