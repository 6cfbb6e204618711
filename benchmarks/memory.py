"""The memory of iterations over many files, at a tenth, at a half and at the end: it does not grow.

    python -m benchmarks.memory [--files N] [--library]

Contents of their own, made as they are asked for, go through midiopt.analyze_many, ordered and not, and through midiopt.notes_many. With
--library a synthetic library of so many files is read in every way instead: searched, sorted, exported, and by NotesDataset if PyTorch
is installed. The memory is what this process and its workers have for themselves (PSS).
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import midiopt
from benchmarks import synthetic_library
from benchmarks.peak_memory import PeakMemory, process_tree, proportional_set_size
from midiopt.library.export_table import FORMATS, export_table
from sample.smf import note_off, note_on, smf, text, track

NOTES = 20
NAME_BITS = 24  # of the number of a file, in the spelling of its path


def song(mark: str) -> bytes:
    """A short song with this text."""
    chance = random.Random(1)
    events = [(0, text(1, mark))]
    for i in range(NOTES):
        pitch = chance.randrange(40, 90)
        events += [(240 * i, note_on(0, pitch, 64)), (240 * i + 200, note_off(0, pitch))]
    return smf([track(events)])


def contents(count: int) -> Iterator[bytes]:
    """So many files, no two of which are equal: they differ in a text."""
    mark = b"0000000000"
    before, after = song(mark.decode()).split(mark)
    for number in range(count):
        yield before + b"%010d" % number + after


def spelling(folder: Path, number: int) -> str:
    """One of many names of the same file, so that a library of a million files needs no million files."""
    return f"{folder}{''.join('/.' if number >> bit & 1 else '/' for bit in range(NAME_BITS))}/song.mid"


def memory() -> float:
    """Of this process and its children, in MB."""
    return sum(map(proportional_set_size, process_tree(os.getpid()))) / 1e6


class Marks:
    """Measures the memory while something passes by."""

    def __init__(self, count: int) -> None:
        self._numbers = {count // 10, count // 2, count - 1}
        self.found: list[str] = []

    def watch(self, items: Iterable[Any]) -> Iterator[Any]:
        """The items."""
        for number, item in enumerate(items):
            if number in self._numbers:
                self.found.append(f"{memory():.0f} MB")
            yield item


def all_of(source: Callable[..., Iterable[object]], *arguments: object) -> Callable[[Marks], object]:
    """A way on which all items are taken and none is kept."""

    def way(marks: Marks) -> None:
        for _ in marks.watch(source(*arguments)):
            pass

    return way


def exporting(library: midiopt.Library, target: str) -> Callable[[Marks], object]:
    """The way of all files into a file."""
    return lambda marks: export_table(target, marks.watch(library), print)


def show(name: str, count: int, way: Callable[[Marks], object]) -> None:
    """Print the memory on one way."""
    marks = Marks(count)
    way(marks)
    print(f"{name:36} {count:,} files: {', '.join(marks.found)}", flush=True)


def of_contents(files: int) -> None:
    """The ways of contents."""
    show("analyze_many", files, all_of(midiopt.analyze_many, contents(files)))
    show("analyze_many, ordered=False", files, all_of(partial(midiopt.analyze_many, ordered=False), contents(files)))
    show("notes_many", files, all_of(midiopt.notes_many, contents(files)))


def of_library(folder: Path, files: int) -> None:
    """The ways of a library."""
    (folder / "song.mid").write_bytes(song("Waltz"))
    url = f"{folder}/music.db"
    synthetic_library.fill(url, files, lambda number, title: spelling(folder, number))
    with midiopt.Library(url) as library:
        for sort in ("", "path", "-bpm"):
            show(f"Library.search(sort={sort!r})", files, all_of(partial(library.search, sort=sort)))
        for suffix in FORMATS:
            target = f"{folder}/export{suffix}"
            show(f"export {suffix}", files, exporting(library, target))
            os.unlink(target)
        with PeakMemory(os.getpid()) as peak:
            table = library.table(columns=["path", "bpm", "key"])
        print(f"{'Library.table of three columns':36} {len(table):,} files: {table.nbytes / 1e6:.0f} MB, at most {peak.bytes / 1e6:.0f} MB")
        del table
    if importlib.util.find_spec("torch"):
        of_data_set(url)


def of_data_set(url: str) -> None:
    """Epochs of PyTorch: file by file, and in padded batches."""
    loader: Any = importlib.import_module("torch.utils.data").DataLoader
    data_set: Any = importlib.import_module("midiopt.torch").NotesDataset

    def paths(batches: Iterable[dict[str, Any]]) -> Iterator[str]:
        for batch in batches:
            yield from batch["path"]

    for workers in (0, 2):
        files = data_set(url, seed=1)
        show(f"NotesDataset, {workers} workers", files.files, all_of(iter, loader(files, batch_size=None, num_workers=workers)))
        files = data_set(url, seed=1, batch_size=16)
        show(f"the same in batches, {workers} workers", files.files, all_of(paths, loader(files, batch_size=None, num_workers=workers)))


def main() -> int:
    """Print a line per way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1_000_000, metavar="N", help="default: %(default)s")
    parser.add_argument("--library", action="store_true", help="read a library of so many files")
    options = parser.parse_args()
    if options.library:
        with tempfile.TemporaryDirectory() as folder:
            of_library(Path(folder), options.files)
    else:
        of_contents(options.files)
    return 0


if __name__ == "__main__":
    sys.exit(main())
