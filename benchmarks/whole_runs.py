"""Time whole runs into SQLite and PostgreSQL against the analysis by one worker alone, interleaved.

    python -m benchmarks.whole_runs [--files 50000] [--collection DIR] [--append FILE.json]

The files are a generated collection (generate_collection.py), deleted afterwards unless --collection names a
folder for it. Every run has its own process and its own empty database, finds the files in the page cache, and
waits a little for the cores to be free. The time is from the first chunk to the last; opening, counting and
building indexes are reported separately, and so is the peak memory of all processes of midiopt. PostgreSQL is
the server that MIDIOPT_TEST_DSN names, or a temporary one on the same cores.
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
from benchmarks.command_line import need, run_program
from benchmarks.paired_timing import pyperf_run, save
from benchmarks.peak_memory import PeakMemory

ROOT = Path(__file__).resolve().parent.parent

WORKLOAD = "whole run"
ANALYSIS_ONLY = "one worker, no database"

Measurements = dict[str, Any]  # those of single_run.py, peak memory in bytes, and the share of the cores that others used
NewDatabase = Callable[[], AbstractContextManager[str]]  # the URL of an empty database, deleted at the end


def generate(folder: Path, files: int, progress: Progress) -> None:
    """Write the collection unless the folder already holds it."""
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
def new_sqlite() -> Iterator[str]:
    """The URL of a SQLite file that does not exist yet."""
    with tempfile.TemporaryDirectory(prefix="midiopt-bench-") as folder:
        yield f"sqlite:///{folder}/run.db"


def new_postgres(server: str) -> NewDatabase:
    """Creates databases on a PostgreSQL server."""
    from benchmarks import postgres_server

    return partial(postgres_server.database, server)


@contextlib.contextmanager
def databases(console: Console) -> Iterator[dict[str, NewDatabase]]:
    """By name: SQLite, and PostgreSQL if there is a server."""
    with postgres_url(console) as url:
        yield {"SQLite": new_sqlite} | ({"PostgreSQL": new_postgres(url)} if url else {})


@contextlib.contextmanager
def postgres_url(console: Console) -> Iterator[str | None]:
    """The URL of a PostgreSQL server; None, with the reason on the console, if there is none."""
    need("psycopg")
    from benchmarks import postgres_server

    with contextlib.ExitStack() as running:
        url = None
        try:
            url = running.enter_context(postgres_server.server())
        except RuntimeError as problem:
            console.print(f"without PostgreSQL: {problem}", markup=False)
        yield url


def measure(folder: Path, timeout: float, *arguments: str) -> Measurements:
    """Run single_run.py once, at most ``timeout`` seconds later, when the cores are free."""
    load = machine_load.wait_until_idle(timeout)
    for path in folder.glob("*/*.mid"):  # before every run: some machines empty their page cache within seconds
        path.read_bytes()
    command = [sys.executable, "-m", "benchmarks.single_run", str(folder), *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process, PeakMemory(process.pid) as peak:
        answer, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"a run failed: {' '.join(command[2:])}")
    measured: Measurements = json.loads(answer)
    return measured | {"memory": peak.bytes, "other_load": (load + machine_load.measure()) / 2}


def measure_into(new_database: NewDatabase, folder: Path, timeout: float, workers: int) -> Measurements:
    """The same for a run into an empty database."""
    with new_database() as url:
        return measure(folder, timeout, "--db", url, "--workers", str(workers))


def rounds(folder: Path, made: dict[str, NewDatabase], options: argparse.Namespace, progress: Progress) -> list[list[Any]]:
    """Every whole run once per round, in an order that is reversed every round; per kind of run, its pyperf runs."""
    kinds: dict[str, Callable[[], Measurements]] = {ANALYSIS_ONLY: partial(measure, folder, options.timeout)}
    for name, new_database in made.items():
        for n in options.workers:
            kinds[f"{name}, {n} worker{'s' if n > 1 else ''}"] = partial(measure_into, new_database, folder, options.timeout, n)
    results: dict[str, list[Any]] = {kind: [] for kind in kinds}
    task = progress.add_task("", total=options.rounds * len(kinds))
    order = list(kinds)
    for done in range(options.rounds):
        if options.rounds > 1:
            progress.console.print(f"round {done + 1} of {options.rounds}")
        for kind in order:
            progress.update(task, description=kind)
            results[kind].append(as_run(kind, **kinds[kind]()))
            progress.advance(task)
        order.reverse()
    return list(results.values())


def as_run(kind: str, files: int, seconds: float, **facts: float) -> Any:
    """The measurements of one run in pyperf's form."""
    return pyperf_run(WORKLOAD, kind, files, [seconds], "" if kind == ANALYSIS_ONLY else ANALYSIS_ONLY, **facts)


def main() -> int:
    """Time the runs that the command line describes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--files", type=int, metavar="N", default=5000, help="number of generated files (default: %(default)s; the targets are for 50000)"
    )
    parser.add_argument("--collection", type=Path, metavar="DIR", help="keep the collection here, or use the one that is here already")
    parser.add_argument("--workers", type=int, nargs="+", metavar="N", default=[1, 2], help="numbers of workers (default: 1 2)")
    parser.add_argument("--rounds", type=int, metavar="R", default=5, help="measurements per kind of run (default: %(default)s)")
    parser.add_argument("--timeout", type=float, metavar="S", default=2, help="seconds to wait for free cores (default: %(default)s)")
    parser.add_argument("--append", metavar="FILE", help="append the results to a pyperf JSON file")
    parser.add_argument("--quiet", action="store_true", help="do not print the table of results")
    options = parser.parse_args()
    if min(options.files, options.rounds, *options.workers) < 1:
        parser.error("--files, --rounds and --workers must be at least 1")
    console = Console(stderr=True, highlight=False)
    with (
        tempfile.TemporaryDirectory(prefix="midiopt-bench-") as temporary,
        Progress(console=console, transient=True, disable=not console.is_terminal) as progress,
    ):
        folder = options.collection or Path(temporary) / "files"
        generate(folder, options.files, progress)
        with databases(progress.console) as made:
            suite = save(rounds(folder, made, options, progress), options.append)
    if not options.quiet:
        console_table.show(suite)
    return 0


if __name__ == "__main__":
    run_program(main)
