"""The chords and the keys of one file, as arrays and one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from midiopt.api.one_file import parse
from midiopt.api.source import Source
from midiopt.api.time_line import TimeLine, arrays
from midiopt.core.harmony.harmony_view import read_harmony

MAX_SHOWN = 12  # segments in the text of an object


@dataclass(frozen=True, slots=True, eq=False)
class Segments(TimeLine):
    """A row of segments of a file, from where each begins, as columns of equal length: each has a name, and lasts until the next one."""

    name: list[str]
    """The name of each."""

    def __repr__(self) -> str:
        more = ["..."] if len(self) > MAX_SHOWN else []
        return f"<Segments: {' '.join([*self.name[:MAX_SHOWN], *more])}>"


@dataclass(frozen=True, slots=True)
class Harmony:
    """The chords and the keys of a file in the order of time."""

    chords: Segments
    """Symbols such as ``Am7``, ``Gsus4`` or ``C/E``, estimated for each beat, from the first with a chord on; ``N`` is no chord.

    Neighbours differ. Empty if no two notes sound at once, and under an SMPTE division, whose ticks have no beats; at most 8,192 beats.
    """
    keys: Segments
    """Keys such as ``Bb`` or ``F#m``, over sixteen segments from the first pitched onset to the last. Neighbours differ.

    Where the key does not change it is that of ``Analysis.key``; empty with fewer than 3 pitched notes.
    """


def harmony(source: Source) -> Harmony:
    """The chords and the keys of one MIDI file, given like that of analyze().

    ``Analysis`` summarises them as chord_progression, harmonic_rhythm, key and key_changes. In a file of format 2 they are those of the
    first track that has notes. Raises the same errors as notes().
    """
    chords, keys, _ = read_harmony(parse(source))
    return Harmony(_segments([chord[:3] for chord in chords]), _segments(keys))


def _segments(found: list[tuple[int, float, str]]) -> Segments:
    tick, seconds = arrays(found, "int64", "float64")
    return Segments(tick, seconds, [name for _, _, name in found])


class Chord(NamedTuple):
    """A chord, and when it is played."""

    start: float
    """In seconds."""
    end: float
    """In seconds."""
    start_tick: int
    """In ticks."""
    end_tick: int
    """In ticks."""
    symbol: str
    """Such as ``Am7`` or ``C/E``; ``N`` where there is no chord, and then the rest is None."""
    root: int | None
    """Pitch class; C is 0."""
    quality: str | None
    """What follows the root in the symbol: nothing for major, ``m``, ``dim``, ``aug``, ``sus4``, ``sus2``, ``7``, ``maj7``, ``m7``,
    ``m7b5``, ``dim7``, ``6``, ``m6`` or ``(b5)``, a major third with a flat fifth."""
    bass: int | None
    """Pitch class of the lowest note, that of the root unless another is lowest for more than half of the time."""


def chords(source: Source) -> list[Chord]:
    """The chords of one MIDI file, given like that of analyze(), in the order of time; each ends where the next begins.

    They are those of ``harmony``, which gives them as arrays. Raises the same errors as notes().
    """
    found, _, end = read_harmony(parse(source))
    return [
        Chord(seconds, end_seconds, tick, end_tick, symbol, root, quality, bass)
        for (tick, seconds, symbol, root, quality, bass), (end_tick, end_seconds) in zip(found, _ends(found, end), strict=True)
    ]


class Key(NamedTuple):
    """A key, and when it holds."""

    start: float
    """In seconds."""
    end: float
    """In seconds."""
    start_tick: int
    """In ticks."""
    end_tick: int
    """In ticks."""
    name: str
    """Such as ``Bb`` or ``F#m``."""


def keys(source: Source) -> list[Key]:
    """The keys of one MIDI file, given like that of analyze(), in the order of time; each ends where the next begins.

    They are those of ``harmony``, found in sixteen equal parts of the file. Raises the same errors as notes().
    """
    _, found, end = read_harmony(parse(source))
    return [
        Key(seconds, end_seconds, tick, end_tick, name)
        for (tick, seconds, name), (end_tick, end_seconds) in zip(found, _ends(found, end), strict=True)
    ]


def _ends(found: Sequence[tuple[Any, ...]], end: tuple[int, float]) -> list[tuple[int, float]]:
    """The tick and the seconds at which each segment ends."""
    starts = [(segment[0], segment[1]) for segment in found]
    return [*starts[1:], max(end, starts[-1])] if starts else []
