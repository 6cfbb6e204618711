"""Whole runs of ten thousand, a hundred thousand and a million distinct files: is the cost per file constant?

    python -m benchmarks.scale [--sizes 10000 100000 1000000] [--collection DIR] [--page]

The files are those of generate_collection.py with a median of 1,500 instead of 8,000 bytes (a mean of 2.6 instead
of 13 KB): a million take 5 GB of disk instead of 16. For every size and database a first run fills an empty
database and a second finds every file unchanged; files/s are those of the whole command without its start,
indexes included, and memory is the peak of all processes of midiopt, without the database server. At the
smallest size a third pair of runs has every file three times. PostgreSQL is the server that MIDIOPT_TEST_DSN
names, or a temporary one on the same cores. The results are stored in benchmarks/results/scale.json; with --page
they are written into docs/performance.md and docs/scale.svg.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from benchmarks import generated_blocks, line_chart, whole_runs
from benchmarks.command_line import run_program
from benchmarks.peak_memory import PeakMemory

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "scale.json"
PAGE, CHART = HERE.parent / "docs" / "performance.md", HERE.parent / "docs" / "scale.svg"
MEDIAN = 1500  # bytes per file
DATABASE_BYTES = 2500  # about, per file: rows, indexes and the log; the database is deleted after every run
SPARE_BYTES = 1 << 30  # of the disk
BYTES_PER_PATH = 32  # of memory, the target
COPIES = 3

Results = list[dict[str, Any]]  # name, database, run (first or second), files, seconds and memory in bytes


def check_space(folder: Path, max_files: int, copies: int, existing: int) -> None:
    """SystemExit if the files and a database do not fit on the disk."""
    from benchmarks.generate_collection import collection

    sizes = [len(collection(0, MEDIAN).file(i)[1]) for i in range(300)]
    blocks = statistics.fmean(-(-size // 4096) * 4096 for size in sizes)
    needed = int((max_files + copies - existing) * blocks + max_files * DATABASE_BYTES) + SPARE_BYTES
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise SystemExit(
            f"scale.py: {folder} has {free / 1e9:,.1f} GB free; {max_files:,} files of about {statistics.fmean(sizes) / 1e3:,.1f} KB"
            f" and their database need {needed / 1e9:,.1f} GB: choose smaller --sizes or another --collection"
        )
    inodes = os.statvfs(folder).f_favail
    if inodes and inodes < max_files + copies - existing:
        raise SystemExit(f"scale.py: {folder} has {inodes:,} inodes free, not {max_files + copies - existing:,}")


def grow(folder: Path, files: int, progress: Progress) -> None:
    """Add files to the collection up to ``files``; a larger collection begins with the files of a smaller one."""
    from benchmarks import generate_collection

    existing = count_files(folder)
    task = progress.add_task(f"writing files up to {files:,}", total=files, completed=existing)
    for done, _ in generate_collection.write(folder, files, workers=len(os.sched_getaffinity(0)), median=MEDIAN, first=existing):
        progress.update(task, completed=existing + done)
    os.sync()  # now, and not during the first run
    progress.remove_task(task)


def count_files(folder: Path) -> int:
    """The number of files below a folder."""
    return sum(len(files) for _, _, files in os.walk(folder))


def run(folder: Path, url: str) -> dict[str, float]:
    """One run of the command: its summary and its peak memory in bytes."""
    command = [sys.executable, "-m", "midiopt.orchestrator", str(folder), "--db", url, "--json", "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process, PeakMemory(process.pid) as peak:
        answer, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"a run failed: {' '.join(command)}")
    summary: dict[str, float] = json.loads(answer)
    return summary | {"memory": peak.bytes}


def measure(name: str, folder: Path, made: dict[str, whole_runs.NewDatabase], rounds: int, progress: Progress) -> Iterator[dict[str, Any]]:
    """The first and the second run into every database: the median of the seconds, the maximum of the memory."""
    for database, new_database in made.items():
        taken: dict[str, list[dict[str, float]]] = {"first": [], "second": []}
        for i in range(rounds):
            with new_database() as url:
                for which, runs in taken.items():
                    progress.console.print(f"{name}, {database}, {which} run, {i + 1} of {rounds}")
                    runs.append(run(folder, url))
        for which, runs in taken.items():
            if {r["skipped"] for r in runs} != ({0} if which == "first" else {runs[0]["files"]}):
                raise SystemExit(f"this run cannot be compared: {runs[0]}")
            yield {
                "name": name,
                "database": database,
                "run": which,
                "files": int(runs[0]["files"]),
                "seconds": statistics.median(r["seconds"] for r in runs),
                "memory": max(r["memory"] for r in runs),
            }


@contextlib.contextmanager
def copied(folder: Path) -> Iterator[Path]:
    """The collection three times, on the same disk."""
    with tempfile.TemporaryDirectory(prefix="midiopt-scale-", dir=folder.resolve().parent) as into:
        for i in range(COPIES):
            shutil.copytree(folder, Path(into) / str(i))
        os.sync()
        yield Path(into)


def block(results: Results) -> str:
    """The block of docs/performance.md: the table, the ratios with their targets, and the chart."""
    by = {(r["name"], r["database"], r["run"]): r for r in results}
    lines = ["| files | database | first run, files/s | second run, files/s | second by first | memory | target |"]
    lines.append("|---:|---|---:|---:|---:|---:|---:|")
    for r in results:
        if r["run"] == "first":
            second = by[r["name"], r["database"], "second"]
            rates = [x["files"] / x["seconds"] for x in (r, second)]
            memory = max(r["memory"], second["memory"]) / 1e6
            cells = [r["name"], r["database"], *(f"{rate:,.0f}" for rate in rates), f"{rates[1] / rates[0]:.1f}"]
            lines.append(f"| {' | '.join(cells)} | {memory:,.0f} MB | {300 + r['files'] * BYTES_PER_PATH / 1e6:,.0f} MB |")
    sentences = []
    for database in dict.fromkeys(r["database"] for r in results):
        first = [r for r in results if r["database"] == database and r["run"] == "first"]
        distinct = [r for r in first if not is_copied(r)]
        small, large = distinct[0], distinct[-1]
        if large is not small:
            ratio = large["files"] / large["seconds"] * small["seconds"] / small["files"]
            sentences.append(
                f"{database}: files/s at {large['files']:,} files are {ratio:.2f} times those at {small['files']:,} (target: 0.8)."
            )
        for r in filter(is_copied, first):
            ratio = r["seconds"] / small["seconds"]
            sentences.append(f"{database}: every file {COPIES} times takes {ratio:.2f} times as long (target: at most 1.6).")
    return "\n".join([*lines, "", *sentences, "", f"![files/s by the number of files]({CHART.name})"])


def is_copied(result: dict[str, Any]) -> bool:
    """Whether the run had every file several times."""
    return bool(result["name"].endswith("times"))


def svg(results: Results) -> str:
    """Files/s by the number of files; second runs are dashed."""
    lines = []
    for database in dict.fromkeys(r["database"] for r in results):
        for which in ("first", "second"):
            rows = [r for r in results if not is_copied(r) and (r["database"], r["run"]) == (database, which)]
            lines.append(line_chart.Line(database, [(r["files"], r["files"] / r["seconds"]) for r in rows], which == "second"))
    return line_chart.svg("Files/s by the number of files (dashed: all unchanged)", lines)


def main() -> int:
    """Measure all sizes, store the results and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--sizes", type=int, nargs="+", metavar="N", default=[10_000, 100_000, 1_000_000], help="numbers of files (default: %(default)s)"
    )
    parser.add_argument("--collection", type=Path, metavar="DIR", help="keep the files here, and reuse those that are here already")
    parser.add_argument("--rounds", type=int, metavar="R", default=3, help="measurements per run (default: %(default)s)")
    parser.add_argument("--page", action="store_true", help="write the table and the chart into docs/")
    options = parser.parse_args()
    console = Console(stderr=True, highlight=False)
    sizes = sorted(set(options.sizes))
    if sizes[0] < 1 or options.rounds < 1:
        parser.error("--sizes and --rounds must be at least 1")
    results: Results = []
    with (
        tempfile.TemporaryDirectory(prefix="midiopt-scale-") as temporary,
        Progress(console=console, transient=True, disable=not console.is_terminal) as progress,
    ):
        folder = options.collection or Path(temporary) / "files"
        folder.mkdir(parents=True, exist_ok=True)
        if (existing := count_files(folder)) > sizes[0]:
            raise SystemExit(f"scale.py: {folder} holds {existing:,} files, more than the smallest size; name an empty folder")
        check_space(folder, sizes[-1], COPIES * sizes[0], existing)
        with whole_runs.databases(progress.console) as made:
            for size in sizes:
                grow(folder, size, progress)
                results += measure(f"{size:,}", folder, made, options.rounds, progress)
                if size == sizes[0]:
                    with copied(folder) as copies:
                        results += measure(f"{size:,}, each {COPIES} times", copies, made, options.rounds, progress)
    generated_blocks.store(RESULTS, results)
    print(block(results))
    if options.page:
        CHART.write_text(svg(results))
        generated_blocks.fill(PAGE, "scale", block(results))
    return 0


if __name__ == "__main__":
    run_program(main)
