"""The notes of midiopt as objects of other libraries; docs/how-to/machine-learning.md shows these lines.

Each part is a track, a channel and a program, as these libraries divide files.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import midiopt

MAX_PARTS = 64  # more are taken for parts that alternate


def parts(notes: midiopt.Notes) -> Iterator[tuple[int, bool, Any]]:
    """Program, whether it is drums, and the rows of each part: a slice, or numbers where parts alternate."""
    if not len(notes):
        return
    columns: list[Any] = [notes.track, notes.channel, notes.program, notes.is_drum]
    order, starts = None, run_starts(columns)
    if len(starts) > MAX_PARTS or len(set(names_of(columns, starts))) < len(starts):
        key = notes.track.astype(np.uint32) << 12 | notes.channel.astype(np.uint32) << 8 | (notes.program << 1) | notes.is_drum
        order = np.argsort(key.astype(np.uint16) if key.max() < 1 << 16 else key, kind="stable")  # 16 bits: a radix sort
        columns = [column[order] for column in columns]
        starts = run_starts(columns)
    for (_, _, program, is_drum), start, end in zip(names_of(columns, starts), starts, [*starts[1:], len(notes)], strict=True):
        yield program, is_drum, slice(start, end) if order is None else order[start:end]


def run_starts(columns: list[Any]) -> list[int]:
    """The rows that differ from the one before."""
    changes = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
    return [0, *(np.flatnonzero(changes) + 1).tolist()]


def names_of(columns: list[Any], rows: list[int]) -> list[tuple[int, int, int, bool]]:
    """Track, channel, program and whether it is drums."""
    return list(zip(*(column[rows].tolist() for column in columns), strict=True))


def symusic_score(path: str) -> Any:
    """The symusic.Score that symusic.Score(path) makes, and what can be read of a file that it refuses: tokenizers of MidiTok take it."""
    from symusic import Score

    with open(path, "rb", buffering=0) as file:
        content = file.read()
    try:
        return Score.from_midi(content)
    except RuntimeError:
        return Score.from_midi(midiopt.parse(content).to_bytes())


def pretty_midi_song(path: str) -> Any:
    """A pretty_midi.PrettyMIDI with the notes, in seconds."""
    from pretty_midi import Instrument, Note, PrettyMIDI

    notes, song = midiopt.notes(path), PrettyMIDI()
    rows_of = [notes.velocity.tolist(), notes.pitch.tolist(), notes.onset_s.tolist(), notes.end_s.tolist()]
    every = list(map(Note, *rows_of))
    for program, is_drum, rows in parts(notes):
        instrument = Instrument(program, is_drum)
        instrument.notes = every[rows] if isinstance(rows, slice) else [every[row] for row in rows]
        song.instruments.append(instrument)
    return song


def partitura_part(path: str) -> Any:
    """A partitura PerformedPart with the notes."""
    from partitura.performance import PerformedPart

    notes = midiopt.notes(path)
    types = [("onset_sec", "f4"), ("duration_sec", "f4"), ("pitch", "i4"), ("velocity", "i4"), ("track", "i4"), ("channel", "i4")]
    columns: list[Any] = [notes.onset_s, notes.end_s - notes.onset_s, notes.pitch, notes.velocity, notes.track, notes.channel]
    return PerformedPart.from_note_array(np.rec.fromarrays(columns, dtype=types))
