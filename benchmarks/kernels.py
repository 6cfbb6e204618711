"""Time the kernels on one core, beside symusic and mido, on the same files and in turns.

    python -m benchmarks.kernels [--corpus DIR | --corpus @LIST --root DIR] [--append FILE.json]

Two works: bytes in memory to events, and the full analysis as a worker does it, reading included.
mido takes so long that it is timed on every k-th file, and midiopt on the same ones. Files that
symusic or mido refuse are left out for all, and counted.

Each call is one process and adds one run to the JSON file. Call it several times for a result that
does not hang on one process's layout in memory, and `--alone` to compare builds of midiopt:

    python -m pyperf compare_to baseline.json release.json --table
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable
from typing import Any

import xxhash
from rich.console import Console
from rich.progress import Progress

from benchmarks import console_table
from benchmarks.input_files import add_options, chosen, thinned
from benchmarks.paired_timing import OURS, Contest, keep, need, run
from midiopt.core.analysis import Analyzer
from midiopt.core.smf.arena import EventArena
from midiopt.core.smf.parser import parse
from midiopt.errors import MidiError
from midiopt.pipeline.new_files import FILES_PER_TASK
from midiopt.schema import ANALYZER_VERSION
from midiopt.sources.reader import Reader

MOST_FILES = 10_000  # their bytes are held in memory
MIDO_FILES = 60  # about a second of mido

EVENTS = "bytes to events"
ANALYSIS = "full analysis"
BESIDE_MIDO = "analysis beside mido"
OTHERWISE = ", or --alone to time midiopt by itself"

Pass = Callable[[], object]


# What is timed


def our_events(contents: list[bytes]) -> Pass:
    arena = EventArena()

    def once() -> None:
        for content in contents:
            try:
                parse(content, arena)
            except MidiError:
                continue

    return once


def our_analysis(paths: list[bytes]) -> Pass:
    """What midiopt.pipeline.worker does for each file that it has not seen before."""
    reader, analyzer = Reader(), Analyzer()

    def once() -> None:
        for start in range(0, len(paths), FILES_PER_TASK):
            rows, heap = bytearray(), bytearray()
            for path in paths[start : start + FILES_PER_TASK]:
                try:
                    reader.read(path)
                    analyzer.analyze(reader, xxhash.xxh3_128_digest(reader), ANALYZER_VERSION, rows, heap)
                except (OSError, MidiError):
                    continue

    return once


def theirs(load: Callable[[Any], object], files: Iterable[object]) -> Pass:
    items = list(files)

    def once() -> None:
        for item in items:
            load(item)

    return once


# Which files


def accepted(paths: list[bytes], load: Callable[[str], object], who: str, console: Console) -> list[bytes]:
    """The files that `load` takes."""

    def takes(path: bytes) -> bool:
        try:
            load(os.fsdecode(path))
        except Exception:  # each library has its own
            return False
        return True

    good = list(filter(takes, paths))
    if not good:
        raise SystemExit(f"{who} reads none of these files; --alone times midiopt by itself")
    if len(good) < len(paths):
        console.print(f"{len(paths) - len(good):,} of {len(paths):,} files are refused by {who} and left out for all")
    return good


def read(path: bytes) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def contests(paths: list[bytes], alone: bool, console: Console) -> list[Contest]:
    if alone:
        contents = [read(path) for path in paths if os.path.isfile(path)]
        return [
            Contest(EVENTS, len(contents), {OURS: our_events(contents)}),
            Contest(ANALYSIS, len(paths), {OURS: our_analysis(paths)}),
        ]
    score = need("symusic", OTHERWISE).Score
    midi_file = need("mido", OTHERWISE).MidiFile
    paths = accepted(paths, score, "symusic", console)
    few = accepted(thinned(paths, MIDO_FILES), midi_file, "mido", console)
    contents = list(map(read, paths))
    return [
        Contest(EVENTS, len(paths), {OURS: our_events(contents), "symusic": theirs(score.from_midi, contents)}),
        Contest(ANALYSIS, len(paths), {OURS: our_analysis(paths), "symusic": theirs(score, map(os.fsdecode, paths))}),
        Contest(BESIDE_MIDO, len(few), {OURS: our_analysis(few), "mido": theirs(midi_file, map(os.fsdecode, few))}),
    ]


def held(contest: Contest, seconds: float, progress: Progress) -> list[list]:
    """The runs of a contest, one for each who took part."""
    task = progress.add_task(contest.work, total=seconds)
    times: dict[str, list[float]] = {who: [] for who in contest.passes}
    for turn in contest.rounds(seconds):
        for who, value in turn.items():
            times[who].append(value)
        progress.advance(task, sum(turn.values()))
    progress.update(task, completed=seconds)
    against = next((who for who in times if who != OURS), "")
    return [[run(contest.work, who, contest.files, v, against if who == OURS else "")] for who, v in times.items()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--seconds", type=float, metavar="S", default=6, help="of each contest (default: %(default)s)")
    parser.add_argument("--alone", action="store_true", help="time only midiopt, on all files, whatever others make of them")
    parser.add_argument("--append", metavar="FILE", help="add this run to a pyperf JSON file, made when absent")
    parser.add_argument("--quiet", action="store_true", help="do not print the table of this run")
    options = parser.parse_args()
    console = Console(stderr=True, highlight=False)
    found = chosen(options)
    paths = thinned(found, MOST_FILES)
    if len(paths) < len(found):
        console.print(f"taking {len(paths):,} of the {len(found):,} files, evenly")
    benchmarks = []
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        for contest in contests(paths, options.alone, progress.console):
            benchmarks += held(contest, options.seconds, progress)
    suite = keep(benchmarks, options.append)
    if not options.quiet:
        console_table.show(suite)
    return 0


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:
        raise SystemExit(130) from None
