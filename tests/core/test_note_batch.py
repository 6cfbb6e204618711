"""The notes of several files in padded arrays, against those of each file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import midiopt
from midiopt.core.notes.note_batch import TYPES, NoteBatch
from sample.smf import note_off, note_on, smf, track

SAMPLE = Path(__file__).parents[2] / "sample" / "midi"
SONGS = sorted((SAMPLE / "band").glob("*.mid"))
EMPTY = smf([track([])])


def song(notes: int, gap: int = 10) -> bytes:
    """Notes one after another."""
    events = [event for i in range(notes) for event in ((i * gap, note_on(0, 60 + i % 12, 64)), ((i + 1) * gap, note_off(0, 60 + i % 12)))]
    return smf([track(events)])


def batch_of(sources, names=tuple(TYPES)) -> tuple[list[int], dict[str, np.ndarray]]:
    batch = NoteBatch(names)
    for number, source in enumerate(sources):
        batch.add(midiopt.notes(source))
        assert len(batch) == number + 1
    counts, arrays = batch.take()
    assert len(batch) == 0
    return counts, dict(zip(names, arrays, strict=True))


def test_columns_are_those_of_each_file():
    sources = [*SONGS[:5], EMPTY, song(3)]
    counts, columns = batch_of(sources)
    assert counts == [len(midiopt.notes(source)) for source in sources] and counts[5:] == [0, 3] and len(set(counts)) > 3
    for name, array in columns.items():
        assert array.dtype == np.dtype(TYPES[name]) and array.shape == (7, max(counts)) and array.flags.aligned and array.flags.writeable
        for source, count, row in zip(sources, counts, array, strict=True):
            assert (row[:count] == getattr(midiopt.notes(source), name)).all() and not row[count:].any(), (name, source)


def test_any_choice_of_columns_in_any_order():
    names = ("track", "pitch", "end_s", "onset")
    _, some = batch_of(SONGS[:3], names)
    _, every = batch_of(SONGS[:3])
    assert list(some) == list(names) and all((some[name] == every[name]).all() for name in names)
    assert batch_of(SONGS[:3], ())[1] == {}


def test_without_files_and_without_notes():
    assert batch_of([])[1]["pitch"].shape == (0, 0)
    counts, columns = batch_of([EMPTY, EMPTY])
    assert counts == [0, 0] and columns["onset_s"].shape == (2, 0)


def test_memory_belongs_to_the_arrays_that_live():
    batch = NoteBatch(("onset", "pitch"))
    held, copies = [], []
    for number in range(1, 8):
        batch.add(midiopt.notes(song(number * 50)))
        arrays = batch.take()[1]
        held.append(arrays[0][0, 1:])  # a view of one column
        copies.append(held[-1].copy())
        del arrays
    assert all((view == copy).all() for view, copy in zip(held, copies, strict=True))
    place = held.pop().__array_interface__["data"][0]
    batch.add(midiopt.notes(song(7)))
    assert batch.take()[1][0].__array_interface__["data"][0] == place - 4, "the memory of the array that died last"


def test_a_file_of_weeks_is_refused():
    long = smf([track([(i << 27, note_on(0, 60, i % 2)) for i in range(10)])])
    batch = NoteBatch(("onset",))
    batch.add(midiopt.notes(song(2)))
    with pytest.raises(OverflowError, match="its ticks have 64 bits"):
        batch.add(midiopt.notes(long))
    assert batch.take()[0] == [2]


def test_columns_that_are_none():
    with pytest.raises(KeyError):
        NoteBatch(("tone",))
    with pytest.raises(ValueError, match="a column is named twice"):
        NoteBatch(("onset", "onset"))
