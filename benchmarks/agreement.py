"""Notes, tempo map, duration and track names beside mido, symusic and pretty_midi, into docs/agreement.md.

    python -m benchmarks.agreement [DIR] [--sample N] [--slow N] [--check]

Every disagreement belongs to a class that is decided by evidence in the file: a model of the library's policy, applied to
midiopt's events (agreement_readings.py), gives exactly what the library reads; or a library refuses a file, and its bytes show
why. What no class explains is listed, and the exit code is 1. mido and pretty_midi take 60 ms of each file, so they read one
file in 12. Files below a folder called edge, which are damaged on purpose, are left out. The libraries are in the extras dev and eval.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import midiopt
from accuracy import corpus
from benchmarks import generated_blocks
from benchmarks.agreement_classes import ASPECTS, LIBRARIES, SEPARATOR, classes_of
from benchmarks.agreement_readings import read
from midiopt.sources.walk import iter_paths

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "agreement.json"
PAGE = HERE.parent / "docs" / "agreement.md"
UNEXPLAINED = "unexplained"

Found = dict[tuple[str, str, str], int]  # (library, aspect, class) -> files


def require_libraries() -> None:
    """SystemExit that names the extra of a library that is not installed."""
    for library, extra in (("mido", "test"), ("symusic", "dev"), ("pretty_midi", "eval")):
        if importlib.util.find_spec(library) is None:
            raise SystemExit(f"{library} is not installed; it is in the extra {extra}: pip install 'midiopt[{extra}]'")


def compare(files: Iterator[tuple[str, bytes]], slow: int, report: Callable[[str], None]) -> tuple[Counter[str], Found]:
    """The number of files that each library has read, and of those in each class; mido and pretty_midi read one in `slow`."""
    arena = midiopt.EventArena()
    count, found = Counter[str](), Counter[tuple[str, str, str]]()
    for path, data in files:
        try:
            file = read(data, arena)
        except midiopt.MidiError:
            continue
        libraries = ("symusic",) if count["symusic"] % slow else LIBRARIES
        count.update(libraries)
        for library, aspect, name in classes_of(file, libraries):
            found[library, aspect, name or UNEXPLAINED] += 1
            if not name:
                report(f"{library}, {aspect}: {path}")
    return count, found


def real_files(folder: Path, every: int) -> Iterator[tuple[str, bytes]]:
    """(path, content) of one MIDI file in `every`, without those below edge/."""
    paths = [path for path in map(os.fsdecode, iter_paths([str(folder)])) if "/edge/" not in path]
    for path in paths[::every]:
        yield path, Path(path).read_bytes()


def table(count: Counter[str], found: Found) -> str:
    """The block of docs/agreement.md."""
    files, reasons = Counter[tuple[str, str]](), Counter[tuple[str, str, str]]()
    for (library, aspect, name), number in found.items():
        files[library, aspect] += number
        for reason in name.split(SEPARATOR):
            reasons[library, aspect, reason] += number
    read_by = ", ".join(f"{count[library]:,} by {library}" for library in LIBRARIES)
    lines = [f"Real files read: {read_by} (`python -m benchmarks.agreement`; a file may differ for several reasons).", ""]
    lines += ["| library | compared | files that differ | why |", "| --- | --- | ---: | --- |"]
    for library in LIBRARIES:
        for aspect in ASPECTS:
            here = [(number, reason) for (*of, reason), number in reasons.items() if of == [library, aspect]]
            why = "; ".join(f"{reason}: {number:,}" for number, reason in sorted(here, reverse=True)) or "-"
            lines.append(f"| {library} | {aspect} | {files[library, aspect]:,} | {why} |")
    return "\n".join(lines)


def main() -> int:
    """Compare, store the results and write the page; 1 if anything is unexplained."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path, nargs="?", default=corpus.FILES, help="folder of MIDI files (default: %(default)s)")
    parser.add_argument("--sample", type=int, default=1, metavar="N", help="compare one file in N (default: all)")
    parser.add_argument(
        "--slow", type=int, default=12, metavar="N", help="of these, mido and pretty_midi read one in N (default: %(default)s)"
    )
    parser.add_argument("--check", action="store_true", help="store nothing, and leave the page as it is")
    options = parser.parse_args()
    require_libraries()
    count, found = compare(real_files(options.corpus, options.sample), options.slow, lambda line: print(line, file=sys.stderr))
    text = table(count, found)
    print(text)
    if not options.check:
        generated_blocks.store(RESULTS, {"files": count, "classes": [[*key, n] for key, n in sorted(found.items())]})
        generated_blocks.fill(PAGE, "agreement", text)
    return int(any(name == UNEXPLAINED for _, _, name in found))


if __name__ == "__main__":
    raise SystemExit(main())
