"""Time the kernels on one core against symusic and mido, on the same files, interleaved.

    python -m benchmarks.kernels [--corpus DIR | --corpus @LIST --root DIR] [--append FILE.json]

Three workloads: bytes in memory to events, files to arrays of notes, and the full analysis as a worker does it, reading included.
mido is so slow that it is timed on every k-th file, and midiopt on the same ones. Files that symusic or
mido reject are excluded for all, and counted.

Each call is one process and appends one run to the JSON file. Call it several times, so that the result
does not depend on the memory layout of one process, and with `--alone` to compare builds of midiopt:

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

import midiopt
from benchmarks import console_table
from benchmarks.command_line import need, run_program
from benchmarks.input_files import add_options, every_kth, select
from benchmarks.paired_timing import OURS, Comparison, pyperf_run, save
from midiopt.core.analyzer import Analyzer
from midiopt.core.smf.arena import EventArena
from midiopt.core.smf.parser import parse
from midiopt.errors import MidiError
from midiopt.pipeline.new_files import FILES_PER_TASK
from midiopt.schema import ANALYZER_VERSION
from midiopt.sources.reader import Reader

MAX_FILES = 10_000  # their bytes are held in memory
MIDO_FILES = 60  # about a second of mido

EVENTS = "bytes to events"
NOTES = "files to arrays of notes"
ANALYSIS = "full analysis"
MIDO_ANALYSIS = "analysis beside mido"
ALTERNATIVE = ", or --alone to time only midiopt"

Pass = Callable[[], object]


# What is timed


def parse_events(contents: list[bytes]) -> Pass:
    """midiopt: bytes in memory to events in a reused arena."""
    arena = EventArena()

    def work() -> None:
        for content in contents:
            try:
                parse(content, arena)
            except MidiError:
                continue

    return work


def read_notes(paths: list[bytes]) -> Pass:
    """midiopt: the notes of files as arrays of what symusic's have: onset, length, pitch, velocity."""
    names = list(map(os.fsdecode, paths))

    def work() -> None:
        for name in names:
            try:
                notes = midiopt.notes(name)
            except (OSError, MidiError):
                continue
            _ = notes.onset, notes.length, notes.pitch, notes.velocity

    return work


def analyse(paths: list[bytes]) -> Pass:
    """midiopt: what midiopt.pipeline.worker does for each file whose content is new."""
    reader, analyzer = Reader(), Analyzer()

    def work() -> None:
        for start in range(0, len(paths), FILES_PER_TASK):
            rows, heap = bytearray(), bytearray()
            for path in paths[start : start + FILES_PER_TASK]:
                try:
                    reader.read(path)
                    analyzer.analyze(reader, xxhash.xxh3_128_digest(reader), ANALYZER_VERSION, rows, heap)
                except (OSError, MidiError):
                    continue

    return work


def load_all(load: Callable[[Any], object], files: Iterable[object]) -> Pass:
    """Another library: its loader over all files."""
    items = list(files)

    def work() -> None:
        for item in items:
            load(item)

    return work


# Which files


def accepted(paths: list[bytes], load: Callable[[str], object], library: str, console: Console) -> list[bytes]:
    """The files that another library can load."""

    def accepts(path: bytes) -> bool:
        try:
            load(os.fsdecode(path))
        except Exception:  # each library has its own exceptions
            return False
        return True

    good = list(filter(accepts, paths))
    if not good:
        raise SystemExit(f"{library} rejects all of these files; --alone times only midiopt")
    if len(good) < len(paths):
        console.print(f"{library} rejects {len(paths) - len(good):,} of {len(paths):,} files; excluded for all")
    return good


def read(path: bytes) -> bytes:
    """The bytes of a file."""
    with open(path, "rb") as file:
        return file.read()


def comparisons(paths: list[bytes], alone: bool, console: Console) -> list[Comparison]:
    """Every workload with the programs that can do it."""
    if alone:
        contents = [read(path) for path in paths if os.path.isfile(path)]
        return [
            Comparison(EVENTS, len(contents), {OURS: parse_events(contents)}),
            Comparison(NOTES, len(paths), {OURS: read_notes(paths)}),
            Comparison(ANALYSIS, len(paths), {OURS: analyse(paths)}),
        ]
    score = need("symusic", ALTERNATIVE).Score
    midi_file = need("mido", ALTERNATIVE).MidiFile
    paths = accepted(paths, score, "symusic", console)
    few = accepted(every_kth(paths, MIDO_FILES), midi_file, "mido", console)
    contents = list(map(read, paths))

    def symusic_notes(path: str) -> object:
        return [track.notes.numpy() for track in score(path).tracks]

    return [
        Comparison(EVENTS, len(paths), {OURS: parse_events(contents), "symusic": load_all(score.from_midi, contents)}),
        Comparison(NOTES, len(paths), {OURS: read_notes(paths), "symusic": load_all(symusic_notes, map(os.fsdecode, paths))}),
        Comparison(ANALYSIS, len(paths), {OURS: analyse(paths), "symusic": load_all(score, map(os.fsdecode, paths))}),
        Comparison(MIDO_ANALYSIS, len(few), {OURS: analyse(few), "mido": load_all(midi_file, map(os.fsdecode, few))}),
    ]


def measure(comparison: Comparison, seconds: float, progress: Progress) -> list[list[Any]]:
    """The pyperf runs of a comparison, one per program."""
    task = progress.add_task(comparison.workload, total=seconds)
    times: dict[str, list[float]] = {program: [] for program in comparison.programs}
    for done in comparison.rounds(seconds):
        for program, value in done.items():
            times[program].append(value)
        progress.advance(task, sum(done.values()))
    progress.update(task, completed=seconds)
    other = next((program for program in times if program != OURS), "")
    return [
        [pyperf_run(comparison.workload, program, comparison.files, values, other if program == OURS else "")]
        for program, values in times.items()
    ]


def main() -> int:
    """Time the kernels on the files that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--seconds", type=float, metavar="S", default=6, help="per comparison (default: %(default)s)")
    parser.add_argument("--alone", action="store_true", help="time only midiopt, on all files, whether or not others accept them")
    parser.add_argument("--append", metavar="FILE", help="append the results to a pyperf JSON file")
    parser.add_argument("--quiet", action="store_true", help="do not print the table of results")
    options = parser.parse_args()
    console = Console(stderr=True, highlight=False)
    found = select(options)
    paths = every_kth(found, MAX_FILES)
    if len(paths) < len(found):
        console.print(f"using {len(paths):,} of the {len(found):,} files, evenly spaced")
    benchmarks = []
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        for comparison in comparisons(paths, options.alone, progress.console):
            benchmarks += measure(comparison, options.seconds, progress)
    suite = save(benchmarks, options.append)
    if not options.quiet:
        console_table.show(suite)
    return 0


if __name__ == "__main__":
    run_program(main)
