"""How much faster two threads of one process are than one: midiopt.analyze, notes and parse over files in memory, in turns.

    python -m benchmarks.threads [--corpus DIR | --corpus @LIST --root DIR] [--threads N] [--rounds N]

In each turn as many processes divide the same files: what they gain over one is what the machine has to give, since processors of a
virtual machine share a core, and other work takes some of both. Wall-clock time: threads that wait for each other use no processor.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import midiopt
from benchmarks import input_files

MAX_FILES = 2000
MIN_SECONDS = 0.2  # of a pass: a small folder is read several times


def passed(function: Callable[[bytes], object], files: list[bytes], crew: int, module: Any = threading) -> float:
    """The seconds of one pass over the files, dealt out among threads, or among the processes of multiprocessing.

    A thread begins with a buffer of its own, and a process writes into the pages that it shares, so each makes a pass before.
    """
    barrier = module.Barrier(crew)
    times = multiprocessing.RawArray("d", 2 * crew)  # the first and the last moment of each

    def work(first: int) -> None:
        part = files[first::crew]
        for data in part:
            function(data)
        barrier.wait()
        times[2 * first] = time.perf_counter()
        for data in part:
            function(data)
        times[2 * first + 1] = time.perf_counter()

    workers = [(threading.Thread if module is threading else module.Process)(target=work, args=(first,)) for first in range(crew)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return float(max(times) - min(times))


def main() -> int:
    """Print the speed of several threads as multiples of that of one, and of as many processes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    input_files.add_options(parser)
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=15, metavar="N", help="default: %(default)s")
    options = parser.parse_args()
    paths = input_files.every_kth(input_files.select(options), MAX_FILES)
    files = [Path(path.decode("utf-8", "surrogateescape")).read_bytes() for path in paths]
    crew = options.threads
    for function in (midiopt.analyze, midiopt.notes, midiopt.parse):
        files = readable(function, files)
        many = files * (1 + int(MIN_SECONDS / passed(function, files, 1)))
        turns = [
            (passed(function, many, 1), passed(function, many, crew), passed(function, many, crew, multiprocessing.get_context("fork")))
            for _ in range(options.rounds)
        ]
        threads, processes, against = (quartiles(list(ratios)) for ratios in zip(*map(gains, turns), strict=True))
        line = f"{function.__name__:8} {len(files):,} files, {crew} threads: {threads} times one; {crew} processes: {processes} times;"
        print(f"{line} threads / processes: {against}", flush=True)
    return 0


def gains(turn: tuple[float, float, float]) -> tuple[float, float, float]:
    """What the seconds of one thread, several threads and processes say: threads and processes against one, and against each other."""
    one, threads, processes = turn
    return one / threads, one / processes, processes / threads


def quartiles(ratios: list[float]) -> str:
    """The middle one, and the middle half."""
    low, middle, high = statistics.quantiles(ratios, n=4)
    return f"{middle:.2f} ({low:.2f}-{high:.2f})"


def readable(function: Callable[[bytes], object], files: list[bytes]) -> list[bytes]:
    """The files that are MIDI files."""
    kept = []
    for data in files:
        try:
            function(data)
        except midiopt.MidiError:
            continue
        kept.append(data)
    return kept


if __name__ == "__main__":
    sys.exit(main())
