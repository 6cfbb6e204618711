"""How much faster notes come from midiopt than from the loaders of other libraries, in their own objects too: docs/performance.md.

    python -m benchmarks.loaders [--corpus DIR | --corpus @LIST --root DIR] [--files N] [--seconds S]

Each line compares two ways to the same thing on the same files, in one thread and in turns: processor time, the median of the ratios and
their middle half. Files that one of the two cannot load are left out for both. A library that is not installed is left out, too.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import logging
import os
import statistics
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import midiopt
from benchmarks.input_files import add_options, every_kth, select
from benchmarks.paired_timing import OURS, Comparison
from sample import conversions
from sample.remi_ids import RemiIds

Load = Callable[[str], object]
BATCH = 16  # files, as in docs/how-to/machine-learning.md


def arrays(path: str) -> object:
    """The columns that symusic has."""
    notes = midiopt.notes(path)
    return notes.onset, notes.length, notes.pitch, notes.velocity


def loaders() -> Iterator[tuple[str, str, Load, Load]]:
    """What is loaded, the library it takes, midiopt's way and the other one."""
    if has("symusic"):
        score: Any = importlib.import_module("symusic").Score
        yield "arrays of notes", "symusic", arrays, lambda path: [track.notes.numpy() for track in score(path).tracks]
        yield "symusic.Score", "symusic", conversions.symusic_score, score
        if has("miditok"):
            tokens = importlib.import_module("miditok").REMI()
            yield "ids of REMI", "miditok", RemiIds(tokens), lambda path: [sequence.ids for sequence in tokens(score(path))]
    if has("pretty_midi"):
        yield "PrettyMIDI", "pretty_midi", conversions.pretty_midi_song, importlib.import_module("pretty_midi").PrettyMIDI
    if has("partitura"):
        yield "PerformedPart", "partitura", conversions.partitura_part, importlib.import_module("partitura").load_performance_midi


def has(module: str) -> bool:
    """Whether a library is installed."""
    return importlib.util.find_spec(module) is not None


def data_sets(paths: list[str], folder: str) -> Iterator[tuple[str, str, Callable[[], object], Callable[[], object]]]:
    """An epoch of PyTorch of midiopt's data set and of one over symusic: in padded batches, and file by file."""
    if not (has("torch") and has("symusic") and has("pyarrow")):
        return
    import numpy as np
    import torch
    from torch.nn.utils.rnn import pad_sequence
    from torch.utils.data import DataLoader, Dataset

    from midiopt.torch import NotesDataset

    torch.set_num_threads(1)  # of pad_sequence: others of OpenMP spin where the cores have other work, 2.1 ms of processor time per file
    score: Any = importlib.import_module("symusic").Score

    class Scores(Dataset):  # type: ignore[misc]  # torch has no types here
        """As tutorials write it: load a file, and join the notes of its tracks."""

        def __len__(self) -> int:
            return len(paths)

        def __getitem__(self, number: int) -> dict[str, Any]:
            columns = [track.notes.numpy() for track in score(paths[number]).tracks]
            return {name: torch.from_numpy(np.concatenate([notes[name] for notes in columns])) for name in columns[0]}

    def padded(items: list[dict[str, Any]]) -> dict[str, Any]:
        """As tutorials write it, too."""
        return {name: pad_sequence([item[name] for item in items], batch_first=True) for name in items[0]}

    paths = [path for path in paths if len(midiopt.notes(path)) and score(path).note_num()]
    db = os.path.join(folder, "music.db")
    with open(os.path.join(folder, "files.txt"), "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write("\n".join(map(os.path.abspath, paths)))
    midiopt.run([f"@{file.name}"], db)
    files, batches = NotesDataset(db, seed=1), NotesDataset(db, seed=1, batch_size=BATCH)
    one_by_one = DataLoader(Scores(), batch_size=None, shuffle=True)
    in_batches = DataLoader(Scores(), batch_size=BATCH, shuffle=True, collate_fn=padded)

    def epoch(items: Iterable[object]) -> Callable[[], object]:
        return lambda: sum(1 for _ in items)

    yield "padded batches", "symusic", epoch(DataLoader(batches, batch_size=None)), epoch(in_batches)
    yield "file by file", "symusic", epoch(files), epoch(one_by_one)
    yield "by DataLoader", "symusic", epoch(DataLoader(files, batch_size=None)), epoch(one_by_one)


def over(load: Load, paths: list[str]) -> Callable[[], object]:
    """A pass over files."""

    def work() -> None:
        for path in paths:
            load(path)

    return work


def loadable(paths: list[str], *loads: Load) -> list[str]:
    """The files that each way can load."""
    kept = []
    for path in paths:
        try:
            for load in loads:
                load(path)
        except Exception:  # each library has its own exceptions
            continue
        kept.append(path)
    return kept


def show(what: str, other: str, files: int, ours: Callable[[], object], theirs: Callable[[], object], seconds: float) -> None:
    """Measure a comparison and print its line."""
    rounds = list(Comparison(what, files, {OURS: ours, other: theirs}).rounds(seconds))
    low, middle, high = statistics.quantiles([done[other] / done[OURS] for done in rounds], n=4)
    mine, its = (1e6 * statistics.median(done[name] for done in rounds) / files for name in (OURS, other))
    line = f"{what:16} {other:11} {files:6,} files {mine:9,.0f} us {its:9,.0f} us"
    print(f"{line}  {middle:6.1f} ({low:.1f}-{high:.1f}) times as fast", flush=True)


def main() -> int:
    """Print a line for each way into another library."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--files", type=int, default=1000, metavar="N", help="at most so many files (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=6, metavar="S", help="per line (default: %(default)s)")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable()
    paths = [os.fsdecode(path) for path in every_kth(select(options), options.files)]
    # The slow ones on fewer files, so that there are several rounds.
    few = {"pretty_midi": 60, "partitura": 20, "miditok": 100}
    good = paths
    for what, other, mine, its in loaders():
        kept = loadable(paths[:: max(1, len(paths) // few.get(other, len(paths)))], mine, its)
        good = kept if what == "arrays of notes" else good
        if kept:
            show(what, other, len(kept), over(mine, kept), over(its, kept), options.seconds)
    with tempfile.TemporaryDirectory() as folder:
        for what, other, our_epoch, their_epoch in data_sets(good, folder):
            show(what, other, len(good), our_epoch, their_epoch, options.seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
