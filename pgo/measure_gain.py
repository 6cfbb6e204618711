"""The speed-up of a pgo-use build over release, on files that training did not use: python -m pgo.measure_gain

Compiles release in a copy of the sources (benchmarks/builds.py) and times it against the installed build:
two processes, one per build, run the same workload alternately, so that other load on the machine affects
both. Ratios are of two neighbouring measurements; every few of them the processes are replaced, because
the speed also depends on the memory layout of a process.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import builds
from benchmarks.generate_collection import write
from benchmarks.timing_process import TimingProcess, paired_times, parsable_contents, serve

SAMPLE = builds.ROOT / "sample" / "midi"
FILES, SEED = 600, 20  # of the generated collection: 8 MB, with a seed that nothing else uses
PROCESSES, TURNS = 6, 15
WORKLOADS = {"parse": "bytes to events", "analyse": "bytes to facts", "work": "files to rows", "encode": "rows for both databases"}


def workloads(folder: Path) -> dict[str, Callable[[], object]]:
    """By name, one pass over all files of a folder."""
    from midiopt import EventArena, parse
    from midiopt.core.analyzer import Analyzer
    from midiopt.pipeline.worker import Worker
    from midiopt.rows.batch import Batch
    from midiopt.rows.layout import LAYOUTS
    from midiopt.schema import ANALYZER_VERSION
    from midiopt.sinks.batch_rows import last_row_per_key
    from midiopt.sinks.postgres_copy import CopyEncoder
    from midiopt.sinks.sql import TABLES
    from midiopt.sinks.sqlite_rows import RowEncoder

    paths = files_of(folder)
    batch = Batch.from_bytes(Worker().analyze_files(paths))
    tables = [(RowEncoder(LAYOUTS[t].fields), CopyEncoder(LAYOUTS[t].fields), last_row_per_key(t, batch)) for t in TABLES]
    analyzer, arena = Analyzer(), EventArena()
    contents = parsable_contents(paths)

    def analyse() -> None:
        rows, heap = bytearray(), bytearray()
        for data, digest in contents:
            analyzer.analyze(data, digest, ANALYZER_VERSION, rows, heap)

    def encode() -> None:
        for to_sqlite, to_postgres, rows in tables:
            for _ in to_sqlite.tuples(rows, batch.heap):
                pass
            to_postgres.encode(rows, batch.heap)

    return {
        "parse": lambda: [parse(data, into=arena) for data, _ in contents],
        "analyse": analyse,
        "work": lambda: Worker().analyze_files(paths),
        "encode": encode,
    }


def files_of(folder: Path) -> list[bytes]:
    """All files below a folder."""
    return sorted(bytes(path) for path in folder.rglob("*") if path.is_file())


def start(source_root: Path, folder: Path) -> TimingProcess:
    """A process that has imported the build in ``source_root``."""
    return TimingProcess([sys.executable, "-m", "pgo.measure_gain", "--serve", str(folder)], builds.environment(source_root))


def compare(release: Path, folder: Path) -> None:
    """Print a line per workload on the files of a folder."""

    def start_pair() -> tuple[TimingProcess, TimingProcess]:
        pair = start(release, folder), start(builds.ROOT / "src", folder)
        modes = [process.mode for process in pair]
        if modes != ["release", "pgo-use"]:
            raise SystemExit(f"this would compare {' with '.join(modes)}: run `make pgo`, which builds before it measures")
        return pair

    files = len(files_of(folder))
    for workload, measured in paired_times(start_pair, WORKLOADS, PROCESSES, TURNS).items():
        before, after = (statistics.median(column) / files * 1e6 for column in zip(*measured, strict=True))
        low, _, high = statistics.quantiles((a / b for a, b in measured), n=4)
        print(f"  {WORKLOADS[workload]:24} {before:7.2f} {after:8.2f} us per file   x {before / after:.3f}   ({low:.3f} to {high:.3f})")


def main() -> None:
    """Compare the builds on the bundled sample and on generated files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)  # a timing process
    options = parser.parse_args()
    if options.serve:
        serve(workloads(options.serve))
        return
    release = builds.build("release")
    print("release and pgo-use: the medians, their ratio, and the quartiles of the ratios of neighbouring measurements")
    print("the bundled sample")
    compare(release, SAMPLE)
    with tempfile.TemporaryDirectory() as folder:
        for _ in write(Path(folder), FILES, SEED):
            pass
        print(f"{FILES} generated files")
        compare(release, Path(folder))


if __name__ == "__main__":
    main()
