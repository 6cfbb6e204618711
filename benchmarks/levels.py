"""The wheel against the native build: its levels in turns with release, in processor time.

    python -m benchmarks.levels [--corpus DIR | --corpus @LIST --root DIR] [--page]

Both builds are compiled in copies of the sources (builds.py). Ratios are of neighbouring measurements, and every few of them
the processes are replaced, because speed also depends on the memory layout of a process. "rows" is the work of a worker on
files, reading included; "facts" and "events" start from bytes in memory; "encode" is the parent's work for both databases,
which is compiled for the lowest level.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import builds, generated_blocks
from benchmarks.generate_collection import write
from benchmarks.input_files import add_options, every_kth, select
from benchmarks.timing_process import TimingProcess, serve
from midiopt.core import processor

LEVELS = ("x86-64-v2", "x86-64-v3", "x86-64-v4")
PAGE = builds.ROOT / "docs" / "performance.md"
FILES = 1000  # of the corpus, evenly spaced, or generated
PROCESSES, TURNS = 5, 8
WORKLOADS = {
    "rows": "full analysis, reading included",
    "facts": "bytes to facts",
    "events": "bytes to events",
    "encode": "rows for databases",
}


def workloads(paths: list[bytes]) -> dict[str, Callable[[], object]]:
    """Those of timing_process.py, and the encoders."""
    from benchmarks import timing_process
    from midiopt.pipeline.worker import Worker
    from midiopt.rows.batch import Batch
    from midiopt.rows.layout import LAYOUTS
    from midiopt.sinks.batch_rows import last_row_per_key
    from midiopt.sinks.postgres_copy import CopyEncoder
    from midiopt.sinks.sql import TABLES
    from midiopt.sinks.sqlite_rows import RowEncoder

    batch = Batch.from_bytes(Worker().analyze_files(paths))
    tables = [(RowEncoder(LAYOUTS[t].fields), CopyEncoder(LAYOUTS[t].fields), last_row_per_key(t, batch)) for t in TABLES]

    def encode() -> None:
        for to_sqlite, to_postgres, rows in tables:
            for _ in to_sqlite.tuples(rows, batch.heap):
                pass
            to_postgres.encode(rows, batch.heap)

    return timing_process.workloads(paths) | {"encode": encode}


def start(build: str, names: Path, level: str = "") -> TimingProcess:
    """A process of a build, at a level."""
    environment = builds.environment(builds.BUILD / build / "src") | ({"MIDIOPT_LEVEL": level} if level else {})
    return TimingProcess([sys.executable, "-m", "benchmarks.levels", "--serve", str(names)], environment)


def ratios(level: str, names: Path) -> dict[str, list[float]]:
    """By workload, the time of release by that of the portable build."""
    found: dict[str, list[float]] = {workload: [] for workload in WORKLOADS}
    for _ in range(PROCESSES):
        native, portable = pair = start("release", names), start("portable", names, level)
        for turn in range(TURNS):
            for workload, measured in found.items():
                taken = {process: process.time(workload) for process in (pair if turn % 2 else pair[::-1])}
                measured.append(taken[native] / taken[portable])
        for process in pair:
            process.close()
    return found


def table(paths: list[bytes]) -> str:
    """A row per level, a column per workload."""
    lines = [f"| level | {' | '.join(WORKLOADS.values())} |", f"| --- |{' ---: |' * len(WORKLOADS)}"]
    with tempfile.TemporaryDirectory() as folder:
        names = Path(folder, "names")
        names.write_bytes(b"\0".join(paths))
        for level in (level for level in LEVELS if level <= processor.level):
            cells = []
            for measured in ratios(level, names).values():
                low, median, high = statistics.quantiles(measured, n=4)
                cells.append(f"{median:.3f} ({low:.3f}–{high:.3f})")
            lines.append(f"| {level} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Compare the builds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, default="", described=f"{FILES:,} generated files")
    parser.add_argument("--page", action="store_true", help="write the table into docs/performance.md")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)  # a timing process
    options = parser.parse_args()
    if options.serve:
        serve(workloads(options.serve.read_bytes().split(b"\0")))
        return
    for build in ("release", "portable"):
        builds.build(build, lambda line: print(line, file=sys.stderr))
    with tempfile.TemporaryDirectory() as folder:
        if not options.corpus:
            for _ in write(Path(folder), FILES):
                pass
            options.corpus = folder
        result = table(every_kth(select(options), FILES))
    print(result)
    if options.page:
        generated_blocks.fill(PAGE, "levels", result)


if __name__ == "__main__":
    main()
