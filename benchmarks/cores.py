"""How a run scales with processor cores, and where the parent is the limit.

    python -m benchmarks.cores [--workers 1 2 4 8 16 32 64] [--rate 8000] [--page]

Measured: a run over generated songs, pinned to one core and to two, with as many workers. Simulated: the workers are
processes that analyse nothing and answer with rows made beforehand, each at --rate files per second (simulated_worker.py), so
that few cores carry many workers; the parent walks, checks and writes as in a run. The files it finds are empty and lie in
memory where that is a file system. When files/s no longer grow with the number of workers, the parent is busy all the time.
A temporary PostgreSQL server runs on the same cores; one elsewhere is named by MIDIOPT_TEST_DSN. The results are stored in
benchmarks/results/cores.json; with --page they are written into docs/performance.md and docs/cores.svg.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks import generate_collection, generated_blocks, line_chart, whole_runs
from benchmarks.command_line import run_program
from benchmarks.simulated_worker import CANNED_ROWS, RATE
from midiopt.pipeline.file_index import FileIndex
from midiopt.pipeline.hash_table_writer import SharedHashTableWriter
from midiopt.pipeline.new_files import FILES_PER_TASK
from midiopt.pipeline.options import RunOptions
from midiopt.pipeline.pool import WorkerPool
from midiopt.pipeline.run_loop import RunLoop
from midiopt.pipeline.signals import Stop
from midiopt.pipeline.summary import NoProgress, Summary
from midiopt.pipeline.worker import Worker
from midiopt.pipeline.worker_handle import WorkerHandle
from midiopt.rows.batch import Batch
from midiopt.sinks import open_sink
from midiopt.sources.walk import WalkStats, iter_paths

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "cores.json"
PAGE, CHART = HERE.parent / "docs" / "performance.md", HERE.parent / "docs" / "cores.svg"
NO_DATABASE = "no database"
FOLDER_FILES = 1000
SONGS = 10_000  # of the measured runs
MEMORY = Path("/dev/shm")

Results = dict[str, Any]


class NoDatabase:
    """Takes rows and keeps nothing: what is left is the work of the parent itself."""

    content_key = b""
    shares_analyses = commits_in_order = True

    def write(self, batch: Batch) -> None:
        """Keep nothing."""

    def flush(self) -> None:
        """There is nothing to wait for."""

    def iter_content_hashes(self, tracks: bool = False) -> Generator[bytes]:
        """Nothing is known."""
        yield from ()

    def finalize(self) -> int:
        """Nothing is left to do."""
        return 0


class SimulatedHandle(WorkerHandle):
    """Starts a simulated worker."""

    program = "benchmarks.simulated_worker"


class SimulatedPool(WorkerPool):
    """A pool of simulated workers, all of which have started."""

    handle = SimulatedHandle

    def start_all(self, workers: int) -> None:
        """Start the workers and wait for them, so that no run pays for it."""
        for _ in range(workers):
            self.start_worker()
        while not all(worker.heartbeat.started_at for worker in self._workers):
            time.sleep(0.01)


def simulate(folder: Path, database: Any, workers: int) -> dict[str, float]:
    """A run with simulated workers: seconds and processor seconds of the parent, per step."""
    options = RunOptions(workers=workers)
    with contextlib.closing(SharedHashTableWriter(database.content_key)) as table, SimulatedPool(options, table) as pool:
        pool.start_all(workers)
        summary = Summary()
        loop = RunLoop([bytes(folder)], WalkStats(), FileIndex(()), database, table, pool, options, NoProgress(), Stop(), summary)
        start = time.perf_counter(), time.process_time()
        loop.run()
        end = time.perf_counter(), time.process_time()
        database.finalize()
    seconds, cpu = (b - a for a, b in zip(start, end, strict=True))
    return {"files": summary.ok, "seconds": seconds, "cpu": cpu, "final_cpu": time.process_time() - end[1]}


def measure(songs: Path, cores: int) -> float:
    """Files/s of a whole run into SQLite on so many cores, its start not included."""
    with whole_runs.new_sqlite() as url:
        command = [sys.executable, "-m", "benchmarks.single_run", str(songs), "--db", url, "--workers", str(cores)]
        available = sorted(os.sched_getaffinity(0))[:cores]
        done = subprocess.run(
            command, cwd=HERE.parent, stdout=subprocess.PIPE, check=True, preexec_fn=lambda: os.sched_setaffinity(0, available)
        )
    measured = json.loads(done.stdout)
    return float(measured["files"] / measured["seconds"])


def write_empty_files(folder: Path, count: int) -> None:
    """Files for the parent to find, in folders as a generated collection has them."""
    for i in range(count):
        if i % FOLDER_FILES == 0:
            (folder / f"{i // FOLDER_FILES:04}").mkdir(parents=True)
        (folder / f"{i // FOLDER_FILES:04}" / f"song {i:07}.mid").touch()


def write_canned_rows(songs: Path, message: Path) -> None:
    """The rows of one task's songs."""
    paths = [path for path, _ in zip(iter_paths([songs]), range(FILES_PER_TASK), strict=False)]
    data = Worker().analyze_files(paths)
    batch = Batch.from_bytes(data)
    assert (batch.files["content_hash"] == batch.analyses["content_hash"]).all()
    message.write_bytes(data)


def databases(server: str | None) -> dict[str, Any]:
    """By name, what opens a new database."""
    made: dict[str, whole_runs.NewDatabase] = {"SQLite": whole_runs.new_sqlite}
    if server:
        made["PostgreSQL"] = whole_runs.new_postgres(server)

    def opened(new: whole_runs.NewDatabase) -> Any:
        @contextlib.contextmanager
        def open_new() -> Iterator[Any]:
            with new() as url, open_sink(url) as database:
                yield database

        return open_new

    return {NO_DATABASE: lambda: contextlib.nullcontext(NoDatabase())} | {name: opened(new) for name, new in made.items()}


def block(results: Results) -> str:
    """The block of docs/performance.md: the tables and the chart."""
    runs = results["simulated"]
    names = list(dict.fromkeys(r["database"] for r in runs))
    rates = {(r["database"], r["workers"]): r["files"] / r["seconds"] for r in runs}
    lines = [f"| simulated workers of {results['rate']:,.0f} files/s | {' | '.join(names)} |", f"| ---: |{' ---: |' * len(names)}"]
    for workers in dict.fromkeys(r["workers"] for r in runs):
        lines.append(f"| {workers} | {' | '.join(f'{rates[name, workers]:,.0f}' for name in names)} |")
    lines.append("")
    for name in names:
        most = max((r for r in runs if r["database"] == name), key=lambda r: r["files"] / r["seconds"])
        cpu, final = most["cpu"] / most["files"], most["final_cpu"] / most["files"]
        lines.append(
            f"{name}: the parent takes {cpu * 1e6:.1f} µs of processor time per file and {final * 1e6:.1f} after the last one."
            f" With a core of its own that would be {1 / cpu:,.0f} files/s ({1 / cpu / results['rate']:.0f} workers; computed, not"
            f" simulated); in the fastest run it had {most['cpu'] / most['seconds']:.0%} of a core."
        )
    one, two = results["measured"]["1"], results["measured"]["2"]
    lines += ["", f"Measured, into SQLite: {one:,.0f} files/s on one core, {two:,.0f} on two ({two / one:.2f} times)."]
    return "\n".join([*lines, "", f"![files/s by the number of workers]({CHART.name})"])


def svg(results: Results) -> str:
    """Files/s by the number of workers; what the workers offer is dashed."""
    runs = results["simulated"]
    workers = list(dict.fromkeys(r["workers"] for r in runs))
    lines = [line_chart.Line("offered", [(n, n * results["rate"]) for n in workers], is_dashed=True)]
    for name in dict.fromkeys(r["database"] for r in runs):
        lines.append(line_chart.Line(name, [(r["workers"], r["files"] / r["seconds"]) for r in runs if r["database"] == name]))
    return line_chart.svg("Files/s by the number of workers (dashed: what they offer)", lines)


def main() -> int:
    """Measure and simulate, store the results and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--workers", type=int, nargs="+", metavar="N", default=[1, 2, 4, 8, 16, 32, 64], help="simulated workers (default: %(default)s)"
    )
    parser.add_argument("--rate", type=float, metavar="R", default=8000, help="files/s of a simulated worker (default: %(default)s)")
    parser.add_argument("--files", type=int, metavar="N", default=200_000, help="files of a simulated run (default: %(default)s)")
    parser.add_argument("--page", action="store_true", help="write the tables and the chart into docs/")
    options = parser.parse_args()
    if min(options.rate, options.files, *options.workers) < 1:
        parser.error("--workers, --rate and --files must be at least 1")
    console = Console(stderr=True, highlight=False)
    simulated = []
    with (
        tempfile.TemporaryDirectory(prefix="midiopt-cores-", dir=MEMORY if MEMORY.is_dir() else None) as temporary,
        whole_runs.postgres_url(console) as server,
    ):
        songs, found, message = Path(temporary) / "songs", Path(temporary) / "found", Path(temporary) / "message"
        for _ in generate_collection.write(songs, SONGS, workers=len(os.sched_getaffinity(0))):
            pass
        measured = {str(cores): measure(songs, cores) for cores in (1, 2)}
        write_canned_rows(songs, message)
        write_empty_files(found, options.files)
        os.environ |= {CANNED_ROWS: str(message), RATE: str(options.rate)}
        for name, opened in databases(server).items():
            for workers in options.workers:
                console.print(f"{name}, {workers} workers")
                with opened() as database:
                    simulated.append({"database": name, "workers": workers} | simulate(found, database, workers))
    results = {"rate": options.rate, "measured": measured, "simulated": simulated}
    generated_blocks.store(RESULTS, results)
    print(block(results))
    if options.page:
        CHART.write_text(svg(results))
        generated_blocks.fill(PAGE, "cores", block(results))
    return 0


if __name__ == "__main__":
    run_program(main)
