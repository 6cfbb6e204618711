"""What a PGO build gains over release, on files that training never saw: python -m pgo.measure_gain

Builds release from a copy of the sources (benchmarks/builds.py), and times it against the build in place: two
processes, one for each, do the same work in turns, so that whatever else the machine does meets both.
Ratios are of the times of two neighbouring turns; other processes, with other memory, every few turns.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

FILES, SEED = 600, 20  # of the generated collection: 8 MB, and a seed that nothing else here uses
PROCESSES, TURNS = 6, 15
SHORTEST = 0.05  # seconds of a turn: less and the clock shows
WORKS = {"parse": "bytes to events", "analyse": "bytes to facts", "work": "files to rows", "encode": "rows for both databases"}


def works(folder: Path) -> dict[str, Callable[[], object]]:
    """Each work once through all files of a folder."""
    import midiopt
    from benchmarks.timing_process import contents
    from midiopt.core.analysis import Analyzer
    from midiopt.pipeline.worker import Worker
    from midiopt.rows.batch import Batch
    from midiopt.rows.layout import LAYOUTS
    from midiopt.schema import ANALYZER_VERSION
    from midiopt.sinks.postgres_copy import CopyEncoder
    from midiopt.sinks.sql import TABLES, last_row_per_key
    from midiopt.sinks.sqlite_rows import RowEncoder

    paths = sorted(bytes(path) for path in folder.rglob("*") if path.is_file())
    batch = Batch.from_bytes(Worker().analyze_files(paths))
    tables = [(RowEncoder(LAYOUTS[t].fields), CopyEncoder(LAYOUTS[t].fields), last_row_per_key(t, batch)) for t in TABLES]
    analyser, arena = Analyzer(), midiopt.EventArena()
    sound = contents(paths)

    def analyse() -> None:
        rows, heap = bytearray(), bytearray()
        for data, digest in sound:
            analyser.analyze(data, digest, ANALYZER_VERSION, rows, heap)

    def encode() -> None:
        for to_sqlite, to_postgres, rows in tables:
            for _ in to_sqlite.tuples(rows, batch.heap):
                pass
            to_postgres.encode(rows, batch.heap)

    return {
        "parse": lambda: [midiopt.parse(data, into=arena) for data, _ in sound],
        "analyse": analyse,
        "work": lambda: Worker().analyze_files(paths),
        "encode": encode,
    }


def serve(folder: Path) -> None:
    """In a child: say which build this is and how many files there are, then time whatever is asked for."""
    import midiopt

    todo = works(folder)
    print(midiopt.build_info()["mode"], sum(path.is_file() for path in folder.rglob("*")), flush=True)
    repeats = {}
    for name, work in todo.items():
        work()
        began = time.process_time()
        work()
        repeats[name] = math.ceil(SHORTEST / max(time.process_time() - began, 1e-6))
    for line in sys.stdin:
        work, times = todo[line.strip()], repeats[line.strip()]
        began = time.process_time()
        for _ in range(times):
            work()
        print((time.process_time() - began) / times, flush=True)


class Child:
    """A process that has imported the build below `site`."""

    def __init__(self, site: Path, folder: Path) -> None:
        command = [sys.executable, "-m", "pgo.measure_gain", "--serve", str(folder)]
        path = os.environ | {"PYTHONPATH": str(site)}
        self.process = subprocess.Popen(command, env=path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        answer = self.process.stdout.readline().split()
        if not answer:
            raise SystemExit(f"the build below {site} cannot be timed: see above")
        self.mode, self.files = answer[0], int(answer[1])

    def time(self, work: str) -> float:
        self.process.stdin.write(f"{work}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def end(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def compare(release: Path, folder: Path) -> None:
    """Print a line for each work on the files of a folder."""
    times: dict[str, list[tuple[float, float]]] = {work: [] for work in WORKS}
    for _ in range(PROCESSES):
        pair = Child(release, folder), Child(ROOT / "src", folder)
        modes = [child.mode for child in pair]
        if modes != ["release", "pgo-use"]:
            raise SystemExit(f"this would compare {' with '.join(modes)}: run `make pgo`, which builds before it measures")
        for turn in range(TURNS):
            for work, seen in times.items():
                order = pair if turn % 2 else pair[::-1]
                taken = {child.mode: child.time(work) / child.files * 1e6 for child in order}
                seen.append((taken["release"], taken["pgo-use"]))
        for child in pair:
            child.end()
    for work, seen in times.items():
        before, after = (statistics.median(column) for column in zip(*seen, strict=True))
        low, _, high = statistics.quantiles((a / b for a, b in seen), n=4)
        print(f"  {WORKS[work]:24} {before:7.2f} {after:8.2f} us a file   x {before / after:.3f}   ({low:.3f} to {high:.3f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)  # this is a child
    args = parser.parse_args()
    if args.serve:
        return serve(args.serve)
    from benchmarks.builds import site
    from benchmarks.generate_collection import write

    release = site("release")
    print("release against pgo-use: medians, their ratio, and the middle half of the ratios of neighbours")
    print("the bundled sample")
    compare(release, ROOT / "sample" / "midi")
    with tempfile.TemporaryDirectory() as folder:
        for _ in write(Path(folder), FILES, SEED):
            pass
        print(f"{FILES} generated files")
        compare(release, Path(folder))


if __name__ == "__main__":
    main()
