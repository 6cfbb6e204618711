"""Medleys: two tunes in different keys, one after the other. They teach what a change of key means."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import mido

from accuracy.ground_truth import Row
from accuracy.key import signature, true_key

MEDLEYS = 600  # drawn; those whose tunes have one signature or much different lengths are dropped
SOURCE = "nottingham_abc_MIDI"  # short tunes that stay in a key
DRUM_CHANNEL = 9


class Medley(NamedTuple):
    """The bytes of a file, the key of its longer tune (which counts as right), and the group of its first tune."""

    data: bytes
    key: int
    group: str


def medleys(corpus: Path, rows: list[Row]) -> Iterator[Medley]:
    """Pseudo-random medleys of the annotated tunes of SOURCE, the same in every run."""
    rows = [row for row in rows if row["source"] == SOURCE]
    rng = random.Random(1)
    for _ in range(MEDLEYS if rows else 0):
        one, other = rng.choice(rows), rng.choice(rows)
        semitones = rng.randrange(-5, 7)
        first = true_key(one)
        second = (true_key(other) + semitones) % 12 + true_key(other) // 12 * 12
        data, lengths = join(corpus / one["relpath"], corpus / other["relpath"], semitones)
        if signature(first) == signature(second) or not 1.3 < max(lengths) / min(lengths) < 3:
            continue
        yield Medley(data, first if lengths[0] > lengths[1] else second, one["group"])


def join(one: Path, other: Path, semitones: int) -> tuple[bytes, list[int]]:
    """The notes of two files in a row, the second transposed up; and the length of each in ticks."""
    files = [mido.MidiFile(path) for path in (one, other)]
    joined = mido.MidiFile(ticks_per_beat=files[0].ticks_per_beat)
    start, lengths = 0, []
    for file, up in zip(files, (0, semitones), strict=True):
        length = 0
        for track in file.tracks:
            tick, previous, notes = 0, 0, mido.MidiTrack()
            for message in track:
                tick += message.time
                now = start + tick * joined.ticks_per_beat // file.ticks_per_beat
                length = max(length, now - start)
                if message.type in ("note_on", "note_off"):
                    pitch = message.note + up * (message.channel != DRUM_CHANNEL)
                    notes.append(message.copy(note=min(max(pitch, 0), 127), time=now - previous))
                    previous = now
            joined.tracks.append(notes)
        start += length
        lengths.append(length)
    data = io.BytesIO()
    joined.save(file=data)
    return data.getvalue(), lengths
