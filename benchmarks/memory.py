"""The memory of iterations over many files, at a tenth, at a half and at the end: it does not grow.

    python -m benchmarks.memory [--files N]

Contents of their own, made as they are asked for, go through midiopt.analyze_many, ordered and not, and through midiopt.notes_many. The
memory is what this process and its workers have for themselves (PSS).
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial

import midiopt
from benchmarks.peak_memory import process_tree, proportional_set_size
from sample.smf import note_off, note_on, smf, text, track

NOTES = 20


def contents(count: int) -> Iterator[bytes]:
    """So many files, no two of which are equal: they differ in a text."""
    chance = random.Random(1)
    mark = b"0000000000"
    events = [(0, text(1, mark.decode()))]
    for i in range(NOTES):
        pitch = chance.randrange(40, 90)
        events += [(240 * i, note_on(0, pitch, 64)), (240 * i + 200, note_off(0, pitch))]
    before, after = smf([track(events)]).split(mark)
    for number in range(count):
        yield before + b"%010d" % number + after


def memory() -> float:
    """Of this process and its children, in MB."""
    return sum(map(proportional_set_size, process_tree(os.getpid()))) / 1e6


def main() -> int:
    """Print a line per way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1_000_000, metavar="N", help="default: %(default)s")
    options = parser.parse_args()
    ways: dict[str, Callable[[Iterable[bytes]], Iterable[object]]] = {
        "analyze_many": midiopt.analyze_many,
        "analyze_many, ordered=False": partial(midiopt.analyze_many, ordered=False),
        "notes_many": midiopt.notes_many,
    }
    for name, way in ways.items():
        marks = {options.files // 10, options.files // 2, options.files - 1}
        found = [f"{memory():.0f} MB" for number, _ in enumerate(way(contents(options.files))) if number in marks]
        print(f"{name:28} {options.files:,} files: {', '.join(found)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
