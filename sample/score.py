"""A piece of music and its events: notes in beats, parts that play them, a tempo map over all.

Time is in quarter notes from the beginning of the piece, pitch in MIDI numbers (C4 is 60).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple, TypeAlias, TypeVar

from sample import smf

DRUMS = 9  # channel 10 as people count

T = TypeVar("T")
Changes: TypeAlias = T | Sequence[tuple[float, T]]  # one value for all, or (beat, value) pairs


class GM(IntEnum):
    """The General MIDI programs that play in the sample."""

    PIANO, ELECTRIC_PIANO, MUSIC_BOX, ORGAN, HARMONICA = 0, 4, 10, 16, 22
    NYLON_GUITAR, STEEL_GUITAR, CLEAN_GUITAR, OVERDRIVE_GUITAR = 24, 25, 27, 29
    ACOUSTIC_BASS, FINGER_BASS, SLAP_BASS, SYNTH_BASS = 32, 33, 36, 38
    VIOLIN, VIOLA, CELLO, CONTRABASS, STRINGS, CHOIR, VOICE = 40, 41, 42, 43, 48, 52, 54
    BRASS, CLARINET, FLUTE, STEEL_DRUMS = 61, 71, 73, 114
    SQUARE_LEAD, SAW_LEAD, WARM_PAD, SWEEP_PAD = 80, 81, 89, 95


class Note(NamedTuple):
    start: float  # quarter notes
    length: float  # quarter notes
    pitch: int
    velocity: int


@dataclass
class Part:
    """What one player plays: a track."""

    name: str
    channel: int
    notes: list[Note]
    program: int | None = None
    events: list[tuple[float, bytes]] = field(default_factory=list)  # (beat, event) of anything but notes
    volume: int = 100
    pan: int = 64

    def setup(self) -> list[bytes]:
        """What is set before the first note: program, volume, place."""
        program = [] if self.program is None else [smf.program(self.channel, self.program)]
        mix = [smf.control(self.channel, 7, self.volume), smf.control(self.channel, 10, self.pan)]
        return program + mix if self.notes else program

    def music(self, division: int, end: int, short: bool) -> list[smf.Event]:
        """The events in order; at one tick notes end first, then controllers move, then notes begin.

        A note ends where its pitch is struck again. `short` ends notes with velocity 0, which lets
        running status go on, instead of a note-off.
        """
        ranked = [(round(beat * division), 1, event) for beat, event in self.events]
        struck: dict[int, int] = {}  # pitch -> the tick at which it is struck next
        for note in sorted(self.notes, reverse=True):
            on = round(note.start * division)
            off = min(max(on + 1, round((note.start + note.length) * division)), struck.get(note.pitch, end))
            if off <= on:  # the same key twice at once, or past the end
                continue
            struck[note.pitch] = on
            ranked.append((on, 2, smf.note_on(self.channel, note.pitch, note.velocity)))
            release = smf.note_on(self.channel, note.pitch, 0) if short else smf.note_off(self.channel, note.pitch)
            ranked.append((off, 0, release))
        ranked.sort(key=lambda event: event[:2])
        return [(tick, event) for tick, _, event in ranked]


@dataclass
class Piece:
    """Parts under one tempo map, meter and key; `beats` is where the last bar ends."""

    title: str
    beats: float
    parts: list[Part]
    tempo: Changes[float] | None = 120
    meter: Changes[str] | None = "4/4"
    key: Changes[str] | None = None
    division: int = 480  # ticks a quarter note
    format: int = 1
    short: bool = True  # running status, and notes that end with velocity 0
    encoding: str = "utf-8"  # of the title

    @property
    def end(self) -> int:
        return round(self.beats * self.division)

    def conductor(self) -> list[smf.Event]:
        """Tempo, meter and key events, as they stand in the first track of a format 1 file."""
        meters = [(beat, smf.time_signature(*map(int, meter.split("/")))) for beat, meter in changes(self.meter)]
        keys = [(beat, smf.key_signature(key)) for beat, key in changes(self.key)]
        tempos = [(beat, smf.tempo(bpm)) for beat, bpm in changes(self.tempo)]
        timed = [(round(beat * self.division), event) for beat, event in meters + keys + tempos]
        return sorted(timed, key=lambda event: event[0])

    def tracks(self) -> list[list[smf.Event]]:
        """Format 1: a conductor track, then the parts. 0: all in one. 2: each part a sequence of its own."""
        title = (0, smf.text(smf.TRACK_NAME, self.title, self.encoding))
        music = [part.music(self.division, self.end, self.short) for part in self.parts]
        if self.format == 0:
            setup = [event for part in self.parts for event in part.setup()]
            return [[title, *at_start(setup), *merge(self.conductor(), *music)]]
        names = [smf.text(smf.TRACK_NAME, part.name) for part in self.parts]
        parts = [at_start([name, *part.setup()]) + events for name, part, events in zip(names, self.parts, music, strict=True)]
        return [merge(self.conductor(), part) for part in parts] if self.format == 2 else [[title, *self.conductor()], *parts]

    def smf(self) -> bytes:
        ended = ([*events, (self.end, smf.END_OF_TRACK)] for events in self.tracks())
        return smf.smf([smf.track(events, self.short, end_of_track=False) for events in ended], self.division, self.format)


def changes(value: Changes[T] | None) -> Sequence[tuple[float, T]]:
    if value is None:
        return ()
    return value if isinstance(value, (list, tuple)) else ((0, value),)


def at_start(events: list[bytes]) -> list[smf.Event]:
    return [(0, event) for event in events]


def merge(*tracks: list[smf.Event]) -> list[smf.Event]:
    return sorted((event for track in tracks for event in track), key=lambda event: event[0])
