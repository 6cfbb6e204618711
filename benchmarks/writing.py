"""Events to bytes: EventArena.to_bytes() beside parse(), symusic and mido, in CPU time, all from memory and in turns.

    python -m benchmarks.writing [--corpus DIR | --corpus @LIST --root DIR]

mido gets a sample of the files. Prints the median of the ratios of neighbouring measurements, and their middle half.
"""

from __future__ import annotations

import argparse
import io
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mido
import symusic

import midiopt
from benchmarks.input_files import add_options, every_kth, select

ROUNDS = 11
FILES = 1_000
MIDO_FILES = 20  # a second


def cpu_time(work: Callable[[Any], object], values: list[Any]) -> float:
    """Seconds per value."""
    start = time.process_time_ns()
    for value in values:
        work(value)
    return (time.process_time_ns() - start) / 1e9 / len(values)


def save(song: mido.MidiFile) -> None:
    """mido writes to a file object."""
    song.save(file=io.BytesIO())


def main() -> None:
    """Measure in turns and print the ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add_options(parser)
    paths = every_kth(select(parser.parse_args()), FILES)
    contents = [data for data in (Path(path.decode()).read_bytes() for path in paths) if not midiopt.parse(data).issues & 0xFFFFFFFF]
    arenas = [midiopt.parse(data) for data in contents]
    scores = [symusic.Score.from_midi(data) for data in contents]
    songs = [mido.MidiFile(file=io.BytesIO(data), clip=True) for data in contents[:: max(1, len(contents) // MIDO_FILES)]]
    own = midiopt.EventArena()
    works: dict[str, tuple[Callable[[Any], object], list[Any]]] = {
        "parse": (lambda data: midiopt.parse(data, into=own), contents),
        "symusic": (lambda score: score.dumps_midi(), scores),
        "mido": (save, songs),
    }
    for name, (work, values) in works.items():
        pairs = [(cpu_time(midiopt.EventArena.to_bytes, arenas), cpu_time(work, values)) for _ in range(ROUNDS)]
        low, middle, high = statistics.quantiles([theirs / ours for ours, theirs in pairs], n=4)
        ours, theirs = (1e6 * statistics.median(times) for times in zip(*pairs, strict=True))
        print(f"to_bytes {ours:.0f} us, {name} {theirs:.0f} us: {middle:.2f} ({low:.2f} to {high:.2f}) times")


if __name__ == "__main__":
    main()
