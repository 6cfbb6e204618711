"""Small valid MIDI files in quantity, each of different content."""

from __future__ import annotations

import random
from pathlib import Path

from sample.smf import note_off, note_on, smf, tempo, text, track


def song(seed: int, notes: int = 60) -> bytes:
    """A melody of its own for each seed."""
    rng = random.Random(seed)
    events = [(0, text(3, f"Song {seed}")), (0, tempo(rng.randrange(60, 180)))]
    for i in range(notes):
        pitch = rng.randrange(40, 90)
        events += [(i * 240, note_on(i % 3, pitch, rng.randrange(1, 128))), (i * 240 + 200, note_off(i % 3, pitch))]
    return smf([track(events)])


def faulty_song(fault: str) -> bytes:
    """A valid file that triggers a fault of fault_injection/sitecustomize.py in a worker that has it."""
    return smf([track([(0, text(1, f"fault:{fault}")), (0, note_on(0, 60, 1)), (9, note_off(0, 60))])])


def write_songs(folder: Path, count: int, notes: int = 60) -> Path:
    """`count` songs in folders of 200."""
    for seed in range(count):
        path = folder / f"{seed // 200:03}" / f"{seed:05}.mid"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(song(seed, notes))
    return folder
