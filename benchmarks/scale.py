"""Whole runs of ten thousand, a hundred thousand and a million distinct files: does cost grow with the work alone?

    python -m benchmarks.scale [--sizes 10000 100000 1000000] [--collection DIR] [--page]

The files are those of generate_collection.py with a median of 1,500 bytes for 8,000 (2.6 KB on average for 13): a
million take 5 GB of disk in place of 16. For every size and each database a first run fills an empty
database and a second finds everything unchanged; files/s are those of the whole command but for its start,
indexes included, and memory is the most that all our processes had together, a server not counted. For the
smallest size every file is then there three times. PostgreSQL is the server that MIDIOPT_TEST_DSN names, or
a throw-away one on the same cores. Numbers are kept in benchmarks/results/scale.json; with --page they go into
docs/performance.md and docs/scale.svg too.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from benchmarks import generated_blocks, whole_runs
from benchmarks.peak_memory import Peak

HERE = Path(__file__).resolve().parent
DOCS = HERE.parent / "docs"
KEPT = HERE / "results" / "scale.json"
MEDIAN = 1500  # bytes of a file
DATABASE_BYTES = 2500  # a file's rows, their indexes and the log of the database, about; it is removed after every run
SPARE = 1 << 30  # bytes left to others
KNOWN = 32  # bytes of memory that a known path may cost
TIMES = 3  # copies of a file


def check_space(folder: Path, most: int, copies: int, begun: int) -> None:
    """SystemExit when the files and a database would not fit."""
    from benchmarks.generate_collection import collection

    sizes = [len(collection(0, MEDIAN).file(i)[1]) for i in range(300)]
    a_file = statistics.fmean(-(-size // 4096) * 4096 for size in sizes)
    needed = int((most + copies - begun) * a_file + most * DATABASE_BYTES) + SPARE
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise SystemExit(
            f"scale.py: {folder} has {free / 1e9:,.1f} GB free; {most:,} files of about {statistics.fmean(sizes) / 1e3:,.1f} KB"
            f" and their database need {needed / 1e9:,.1f} GB: choose smaller --sizes or another --collection"
        )
    inodes = os.statvfs(folder).f_favail
    if inodes and inodes < most + copies - begun:
        raise SystemExit(f"scale.py: {folder} has room for {inodes:,} files more, not for {most + copies - begun:,}")


def grow(folder: Path, files: int, progress: Progress) -> None:
    """Bring the collection to so many files; it begins with those of a smaller one."""
    from benchmarks import generate_collection

    begun = written(folder)
    task = progress.add_task(f"writing files up to {files:,}", total=files, completed=begun)
    for done, _ in generate_collection.write(folder, files, workers=len(os.sched_getaffinity(0)), median=MEDIAN, begun=begun):
        progress.update(task, completed=begun + done)
    os.sync()  # now, and not during the first run
    progress.remove_task(task)


def written(folder: Path) -> int:
    return sum(len(files) for _, _, files in os.walk(folder))


def run(folder: Path, url: str) -> dict[str, float]:
    """One run of the command: what it says of itself, and the most memory it had, in bytes."""
    command = [sys.executable, "-m", "midiopt.orchestrator", str(folder), "--db", url, "--json", "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process, Peak(process.pid) as peak:
        answer, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"a run failed: {' '.join(command)}")
    return json.loads(answer) | {"memory": peak.bytes}


def measure(name: str, folder: Path, made: dict[str, whole_runs.Fresh], rounds: int, progress: Progress) -> Iterator[dict]:
    """The first and the second run into every database: medians of the seconds, the most of the memory."""
    for database, fresh in made.items():
        taken: dict[str, list[dict[str, float]]] = {"first": [], "second": []}
        for i in range(rounds):
            with fresh() as url:
                for which, runs in taken.items():
                    progress.console.print(f"{name}, {database}, {which} run, {i + 1} of {rounds}")
                    runs.append(run(folder, url))
        for which, runs in taken.items():
            if {r["skipped"] for r in runs} != ({0} if which == "first" else {runs[0]["files"]}):
                raise SystemExit(f"not the run that was to be measured: {runs[0]}")
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
    """The collection several times, beside itself: another disk would be what is measured."""
    with tempfile.TemporaryDirectory(prefix="midiopt-scale-", dir=folder.resolve().parent) as into:
        for i in range(TIMES):
            shutil.copytree(folder, Path(into) / str(i))
        os.sync()
        yield Path(into)


def table(results: list[dict]) -> str:
    """The numbers, and what is to be reached beside them."""
    by = {(r["name"], r["database"], r["run"]): r for r in results}
    lines = ["| files | database | first run, files/s | second run, files/s | second over first | memory | bound |"]
    lines.append("|---:|---|---:|---:|---:|---:|---:|")
    for r in results:
        if r["run"] == "first":
            second = by[r["name"], r["database"], "second"]
            rates = [x["files"] / x["seconds"] for x in (r, second)]
            memory = max(r["memory"], second["memory"]) / 1e6
            cells = [r["name"], r["database"], *(f"{rate:,.0f}" for rate in rates), f"{rates[1] / rates[0]:.1f}"]
            lines.append(f"| {' | '.join(cells)} | {memory:,.0f} MB | {300 + r['files'] * KNOWN / 1e6:,.0f} MB |")
    says = []
    for database in dict.fromkeys(r["database"] for r in results):
        first = [r for r in results if r["database"] == database and r["run"] == "first"]
        plain = [r for r in first if not r["name"].endswith("times")]
        small, large = plain[0], plain[-1]
        if large is not small:
            ratio = large["files"] / large["seconds"] * small["seconds"] / small["files"]
            says.append(f"{database}: files/s at {large['files']:,} are {ratio:.2f} times those at {small['files']:,} (to reach: 0.8).")
        for r in first:
            if r["name"].endswith("times"):
                says.append(
                    f"{database}: every file {TIMES} times takes {r['seconds'] / small['seconds']:.2f} times as long (at most 1.6)."
                )
    return "\n".join([*lines, "", *says])


WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 720, 360, 70, 40, 300
COLOURS = {"SQLite": "#2f6f8f", "PostgreSQL": "#b5523b"}


def svg(results: list[dict]) -> str:
    """Files/s by the number of files, both scales logarithmic; second runs are dashed."""
    plain = [r for r in results if not r["name"].endswith("times")]
    sizes = [math.log10(r["files"]) for r in plain]
    rates = [math.log10(r["files"] / r["seconds"]) for r in plain]
    low, high = math.floor(min(rates)), math.ceil(max(rates))
    span = max(sizes) - min(sizes) or 1

    def x(files: float) -> float:
        return LEFT + 20 + (math.log10(files) - min(sizes)) / span * (WIDTH - LEFT - 160)

    def y(rate: float) -> float:
        return BOTTOM - (math.log10(rate) - low) / ((high - low) or 1) * (BOTTOM - TOP)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        '<text x="16" y="24" font-size="16" font-weight="bold">Files/s by the number of files (dashed: all unchanged)</text>',
    ]
    for power in range(low, high + 1):
        out.append(f'<line x1="{LEFT}" x2="{WIDTH - 120}" y1="{y(10**power):.1f}" y2="{y(10**power):.1f}" stroke="#ddd"/>')
        out.append(f'<text x="{LEFT - 6}" y="{y(10**power) + 4:.1f}" text-anchor="end">{10**power:,}</text>')
    for files in sorted({r["files"] for r in plain}):
        out.append(f'<text x="{x(files):.1f}" y="{BOTTOM + 22}" text-anchor="middle">{files:,}</text>')
    for database, colour in COLOURS.items():
        for which, dash in (("first", ""), ("second", ' stroke-dasharray="6 4"')):
            line = [(x(r["files"]), y(r["files"] / r["seconds"])) for r in plain if (r["database"], r["run"]) == (database, which)]
            if line:
                points = " ".join(f"{a:.1f},{b:.1f}" for a, b in line)
                out.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
                out += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>' for a, b in line]
                out.append(f'<text x="{line[-1][0] + 8:.1f}" y="{line[-1][1] + 4:.1f}" fill="{colour}">{database}</text>')
    return "\n".join([*out, "</svg>", ""])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--sizes", type=int, nargs="+", metavar="N", default=[10_000, 100_000, 1_000_000], help="numbers of files (default: %(default)s)"
    )
    parser.add_argument("--collection", type=Path, metavar="DIR", help="keep the files here, or go on with those that are here already")
    parser.add_argument("--rounds", type=int, metavar="R", default=3, help="how often each run is timed (default: %(default)s)")
    parser.add_argument("--page", action="store_true", help="put table and plot into docs/")
    options = parser.parse_args()
    console = Console(stderr=True, highlight=False)
    sizes = sorted(set(options.sizes))
    if sizes[0] < 1 or options.rounds < 1:
        parser.error("sizes and rounds count from 1")
    results: list[dict] = []
    with (
        tempfile.TemporaryDirectory(prefix="midiopt-scale-") as temporary,
        Progress(console=console, transient=True, disable=not console.is_terminal) as progress,
    ):
        folder = options.collection or Path(temporary) / "files"
        folder.mkdir(parents=True, exist_ok=True)
        if written(folder) > sizes[0]:
            raise SystemExit(f"scale.py: {folder} holds {written(folder):,} files, more than the smallest size; name an empty folder")
        check_space(folder, sizes[-1], TIMES * sizes[0], written(folder))
        with whole_runs.databases(progress.console) as made:
            for size in sizes:
                grow(folder, size, progress)
                results += measure(f"{size:,}", folder, made, options.rounds, progress)
                if size == sizes[0]:
                    with copied(folder) as copies:
                        results += measure(f"{size:,}, each {TIMES} times", copies, made, options.rounds, progress)
    KEPT.parent.mkdir(exist_ok=True)
    KEPT.write_text(json.dumps(results, indent=1) + "\n")
    print(table(results))
    if options.page:
        (DOCS / "scale.svg").write_text(svg(results))
        generated_blocks.fill(DOCS / "performance.md", "scale", table(results) + "\n\n![files/s by the number of files](scale.svg)")
    return 0


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:
        raise SystemExit(130) from None
