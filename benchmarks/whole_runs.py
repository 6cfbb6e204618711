"""Time whole runs into SQLite and PostgreSQL against one worker's analysis alone, in turns.

    python -m benchmarks.whole_runs [--files 50000] [--collection DIR] [--append FILE.json]

The files are a generated collection (generate_collection.py), removed afterwards unless --collection names a
place for it. Every run has a process and an empty database of its own, finds the files in memory, and
waits a little for the cores to be free. The time is from the first chunk to the last; opening,
counting and building indexes are told apart, and so is the most memory that all our processes had
together. PostgreSQL is the server that MIDIOPT_TEST_DSN names, or a throw-away one on the same cores.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from benchmarks import console_table, machine_load
from benchmarks.paired_timing import keep, need, run
from benchmarks.peak_memory import Peak

HERE = Path(__file__).resolve().parent

WORK = "whole run"
ALONE = "one worker, no database"

Numbers = dict[str, Any]  # those of single_run.py, memory in bytes, and the share of the cores that others used
Fresh = Callable[[], AbstractContextManager[str]]  # the URL of an empty database, removed at the end


def generate(folder: Path, files: int, progress: Progress) -> None:
    """The collection, unless the folder has it."""
    from benchmarks import generate_collection

    if folder.is_dir() and any(folder.iterdir()):
        found = sum(1 for _ in folder.glob("*/*.mid"))
        if found != files:
            raise SystemExit(f"{folder} holds {found:,} files of a collection, not {files:,}")
        return
    task = progress.add_task(f"writing {files:,} files", total=files)
    for written, _ in generate_collection.write(folder, files, workers=len(os.sched_getaffinity(0))):
        progress.update(task, completed=written)
    os.sync()  # now, and not during the first runs


@contextlib.contextmanager
def sqlite_file() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="midiopt-bench-") as folder:
        yield f"sqlite:///{folder}/run.db"


@contextlib.contextmanager
def databases(console: Console) -> Iterator[dict[str, Fresh]]:
    """By name, what makes an empty database: SQLite, and PostgreSQL where there is a server."""
    with one_server(console) as url:
        made: dict[str, Fresh] = {"SQLite": sqlite_file}
        if url:
            from benchmarks import postgres_server

            made["PostgreSQL"] = partial(postgres_server.database, url)
        yield made


@contextlib.contextmanager
def one_server(console: Console) -> Iterator[str | None]:
    """The URL of a PostgreSQL server; None, and the reason told, where there is none."""
    need("psycopg")
    from benchmarks import postgres_server

    with contextlib.ExitStack() as running:
        url = None
        try:
            url = running.enter_context(postgres_server.server())
        except RuntimeError as problem:
            console.print(f"without PostgreSQL: {problem}", markup=False)
        yield url


def once(folder: Path, patience: float, *arguments: str) -> Numbers:
    """What one process of single_run.py says of itself, the most memory it had, and how busy others kept the cores."""
    busy = machine_load.wait(patience)
    for path in folder.glob("*/*.mid"):  # again every time: some machines forget files within seconds
        path.read_bytes()
    command = [sys.executable, "-m", "benchmarks.single_run", str(folder), *arguments]
    with subprocess.Popen(command, cwd=HERE.parent, stdout=subprocess.PIPE, text=True) as process, Peak(process.pid) as peak:
        answer, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"a run failed: single_run.py {' '.join(arguments)}")
    return json.loads(answer) | {"memory": peak.bytes, "busy": (busy + machine_load.busy()) / 2}


def into(fresh: Fresh, folder: Path, patience: float, workers: int) -> Numbers:
    with fresh() as url:
        return once(folder, patience, "--db", url, "--workers", str(workers))


def rounds(folder: Path, made: dict[str, Fresh], options: argparse.Namespace, progress: Progress) -> list[list]:
    """Every whole run once a round, in an order that turns: for each, its runs as pyperf keeps them."""
    whole: dict[str, Callable[[], Numbers]] = {ALONE: partial(once, folder, options.patience)}
    for name, fresh in made.items():
        for n in options.workers:
            whole[f"{name}, {n} worker{'s' if n > 1 else ''}"] = partial(into, fresh, folder, options.patience, n)
    results: dict[str, list] = {label: [] for label in whole}
    task = progress.add_task("", total=options.rounds * len(whole))
    order = list(whole)
    for done in range(options.rounds):
        if options.rounds > 1:
            progress.console.print(f"round {done + 1} of {options.rounds}")
        for label in order:
            progress.update(task, description=label)
            results[label].append(as_run(label, **whole[label]()))
            progress.advance(task)
        order.reverse()
    return list(results.values())


def as_run(label: str, files: int, seconds: float, **facts: float) -> object:
    return run(WORK, label, files, [seconds], "" if label == ALONE else ALONE, **facts)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--files", type=int, metavar="N", default=5000, help="how many to generate (default: %(default)s; the targets are for 50000)"
    )
    parser.add_argument("--collection", type=Path, metavar="DIR", help="keep the collection here, or use the one that is here already")
    parser.add_argument("--workers", type=int, nargs="+", metavar="N", default=[1, 2], help="numbers of workers to time (default: 1 2)")
    parser.add_argument("--rounds", type=int, metavar="R", default=5, help="how often each run is timed (default: %(default)s)")
    parser.add_argument("--patience", type=float, metavar="S", default=2, help="wait so long for free cores (default: %(default)s seconds)")
    parser.add_argument("--append", metavar="FILE", help="add this run to a pyperf JSON file, made when absent")
    parser.add_argument("--quiet", action="store_true", help="do not print the table of this run")
    options = parser.parse_args()
    if min(options.files, options.rounds, *options.workers) < 1:
        parser.error("--files, --rounds and --workers count from 1")
    console = Console(stderr=True, highlight=False)
    with (
        tempfile.TemporaryDirectory(prefix="midiopt-bench-") as temporary,
        Progress(console=console, transient=True, disable=not console.is_terminal) as progress,
    ):
        folder = options.collection or Path(temporary) / "files"
        generate(folder, options.files, progress)
        with databases(progress.console) as made:
            suite = keep(rounds(folder, made, options, progress), options.append)
    if not options.quiet:
        console_table.show(suite)
    return 0


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:
        raise SystemExit(130) from None
