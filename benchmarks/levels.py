"""The wheel against the native build: each of its levels in turns with release, in processor time.

    python -m benchmarks.levels [--corpus DIR | --corpus @LIST --root DIR] [--page]

Both builds are compiled in copies of the sources (builds.py). Ratios are of neighbouring measurements, and every few of them
the processes are replaced, because speed also depends on the memory layout of a process. "files to rows" is the work of a
worker, reading included; "rows for both databases" is the parent's, and that code is compiled for the lowest level.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks import builds, generated_blocks
from benchmarks.generate_collection import write
from benchmarks.input_files import add_options, every_kth, select
from benchmarks.timing_process import TimingProcess, paired_times
from midiopt.core import processor
from pgo.measure_gain import WORKLOADS

LEVELS = ("x86-64-v2", "x86-64-v3", "x86-64-v4")
PAGE = builds.ROOT / "docs" / "performance.md"
FILES = 1000  # of the corpus, evenly spaced, or generated
PROCESSES, TURNS = 5, 8


def start(build: str, folder: Path, level: str = "") -> TimingProcess:
    """A process of a build, at a level."""
    environment = builds.environment(builds.BUILD / build / "src") | ({"MIDIOPT_LEVEL": level} if level else {})
    return TimingProcess([sys.executable, "-m", "pgo.measure_gain", "--serve", str(folder)], environment)


def ratios(level: str, folder: Path) -> dict[str, list[float]]:
    """By workload, the time of release by that of the portable build."""
    times = paired_times(lambda: (start("release", folder), start("portable", folder, level)), WORKLOADS, PROCESSES, TURNS)
    return {workload: [native / portable for native, portable in measured] for workload, measured in times.items()}


def table(folder: Path) -> str:
    """A row per level, a column per workload."""
    lines = [f"| level | {' | '.join(WORKLOADS.values())} |", f"| --- |{' ---: |' * len(WORKLOADS)}"]
    for level in (level for level in LEVELS if level <= processor.level):
        cells = []
        for measured in ratios(level, folder).values():
            low, median, high = statistics.quantiles(measured, n=4)
            cells.append(f"{median:.2f} ({low:.2f}–{high:.2f})")
        lines.append(f"| {level} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Compare the builds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, default="", described=f"{FILES:,} generated files")
    parser.add_argument("--page", action="store_true", help="write the table into docs/performance.md")
    options = parser.parse_args()
    for build in ("release", "portable"):
        builds.build(build, lambda line: print(line, file=sys.stderr))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.corpus:
            for i, path in enumerate(every_kth(select(options), FILES)):
                (folder / f"{i}.mid").symlink_to(os.path.abspath(os.fsdecode(path)))
        else:
            for _ in write(folder, FILES):
                pass
        result = table(folder)
    print(result)
    if options.page:
        generated_blocks.fill(PAGE, "levels", result)


if __name__ == "__main__":
    main()
