"""How much faster two threads of one process are than one: midiopt.analyze, notes and parse over files in memory, in turns.

    python -m benchmarks.threads [--corpus DIR | --corpus @LIST --root DIR] [--threads N] [--rounds N]

Wall-clock time: threads that wait for each other use no processor. Other work on the machine slows two threads more than one.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import midiopt
from benchmarks import input_files

MAX_FILES = 2000
MIN_SECONDS = 0.2  # of a pass: a small folder is read several times


def passed(function: Callable[[bytes], object], files: list[bytes], threads: int) -> float:
    """The seconds of one pass over the files, dealt out among threads."""

    def work(first: int) -> None:
        for data in files[first::threads]:
            function(data)

    crew = [threading.Thread(target=work, args=(first,)) for first in range(threads)]
    began = time.perf_counter()
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    return time.perf_counter() - began


def main() -> int:
    """Print the speed of several threads as multiples of that of one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    input_files.add_options(parser)
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=15, metavar="N", help="default: %(default)s")
    options = parser.parse_args()
    paths = input_files.every_kth(input_files.select(options), MAX_FILES)
    files = [Path(path.decode("utf-8", "surrogateescape")).read_bytes() for path in paths]
    for function in (midiopt.analyze, midiopt.notes, midiopt.parse):
        files = readable(function, files)
        many = files * (1 + int(MIN_SECONDS / passed(function, files, 1)))
        ratios = []
        for _ in range(options.rounds):
            alone = passed(function, many, 1)
            ratios.append(alone / passed(function, many, options.threads))
        low, middle, high = statistics.quantiles(ratios, n=4)
        print(f"{function.__name__:8} {len(files):,} files, {options.threads} threads: {middle:.2f} ({low:.2f}-{high:.2f}) times one")
    return 0


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
