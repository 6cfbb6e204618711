"""Melodies of which several files are made that are similar."""

from __future__ import annotations

import random

from sample.smf import note_off, note_on, smf, text, track


def melody(seed: int, notes: int = 120) -> list[tuple[int, int]]:
    """(tick, pitch) of a random walk in eighths and quarters."""
    chance = random.Random(seed)
    tick, pitch, found = 0, 60, []
    for _ in range(notes):
        found.append((tick, pitch))
        tick += chance.choice((240, 240, 480))
        pitch = min(max(pitch + chance.choice((-5, -4, -2, -1, 1, 2, 3, 7)), 40), 84)
    return found


def content(notes: list[tuple[int, int]], title: str = "", channel: int = 0) -> bytes:
    """A file with these notes."""
    events = [(0, text(3, title))] if title else []
    for tick, pitch in notes:
        events += [(tick, note_on(channel, pitch, 80)), (tick + 200, note_off(channel, pitch))]
    return smf([track(events)])


def transposed(notes: list[tuple[int, int]], steps: int) -> list[tuple[int, int]]:
    """The notes so many half tones higher."""
    return [(tick, pitch + steps) for tick, pitch in notes]
