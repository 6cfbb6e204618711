"""A piece of music: notes, parts that play them, a tempo map; and the tracks that they become.

Time is in quarter notes (beats) from the beginning of the piece; pitches are MIDI note numbers (C4 is 60).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple, TypeAlias, TypeVar

from sample import smf

DRUMS = 9  # channel 10, counted from 0

T = TypeVar("T")
Changes: TypeAlias = T | Sequence[tuple[float, T]]  # one value for all, or (beat, value) pairs


class GM(IntEnum):
    """The General MIDI programs in the sample, from 0."""

    PIANO, ELECTRIC_PIANO, MUSIC_BOX, ORGAN, HARMONICA = 0, 4, 10, 16, 22
    NYLON_GUITAR, STEEL_GUITAR, CLEAN_GUITAR, OVERDRIVE_GUITAR = 24, 25, 27, 29
    ACOUSTIC_BASS, FINGER_BASS, SLAP_BASS, SYNTH_BASS = 32, 33, 36, 38
    VIOLIN, VIOLA, CELLO, CONTRABASS, STRINGS, CHOIR, VOICE = 40, 41, 42, 43, 48, 52, 54
    BRASS, CLARINET, FLUTE, STEEL_DRUMS = 61, 71, 73, 114
    SQUARE_LEAD, SAW_LEAD, WARM_PAD, SWEEP_PAD = 80, 81, 89, 95


class Note(NamedTuple):
    """A note of a part."""

    start: float  # quarter notes
    length: float  # quarter notes
    pitch: int
    velocity: int


@dataclass
class Part:
    """What one player plays; it becomes a track."""

    name: str
    channel: int
    notes: list[Note]
    program: int | None = None
    events: list[tuple[float, bytes]] = field(default_factory=list)  # (beat, event) of everything but notes
    volume: int = 100
    pan: int = 64

    def setup(self) -> list[bytes]:
        """The events before the first note: program, volume, pan."""
        program = [] if self.program is None else [smf.program_change(self.channel, self.program)]
        mix = [smf.control_change(self.channel, 7, self.volume), smf.control_change(self.channel, 10, self.pan)]
        return program + mix if self.notes else program

    def music(self, division: int, end: int, running_status: bool) -> list[smf.Event]:
        """The events in time order; within a tick notes end, then controllers change, then notes begin.

        A note ends where its pitch begins again, at the latest at tick `end`. For the sake of running status it ends
        with a note-on of velocity 0, otherwise with a note-off.
        """
        ranked = [(round(beat * division), 1, event) for beat, event in self.events]
        next_onset: dict[int, int] = {}  # pitch -> tick
        for note in sorted(self.notes, reverse=True):
            on = round(note.start * division)
            off = min(max(on + 1, round((note.start + note.length) * division)), next_onset.get(note.pitch, end))
            if off <= on:  # the same pitch twice at one tick, or past the end
                continue
            next_onset[note.pitch] = on
            ranked.append((on, 2, smf.note_on(self.channel, note.pitch, note.velocity)))
            release = smf.note_on(self.channel, note.pitch, 0) if running_status else smf.note_off(self.channel, note.pitch)
            ranked.append((off, 0, release))
        ranked.sort(key=lambda event: event[:2])
        return [(tick, event) for tick, _, event in ranked]


@dataclass
class Piece:
    """Parts with their tempo map, time signatures and key signatures; the last bar ends at `beats`."""

    title: str
    beats: float
    parts: list[Part]
    tempo: Changes[float] | None = 120
    meter: Changes[str] | None = "4/4"
    key: Changes[str] | None = None
    division: int = 480  # ticks per quarter note
    format: int = 1
    running_status: bool = True  # and notes that end with velocity 0
    encoding: str = "utf-8"  # of the title

    @property
    def end(self) -> int:
        """The end of the last bar in ticks."""
        return round(self.beats * self.division)

    def conductor(self) -> list[smf.Event]:
        """Time signatures, key signatures and tempos: the conductor track of a format 1 file."""
        meters = [(beat, smf.time_signature(*map(int, meter.split("/")))) for beat, meter in changes(self.meter)]
        keys = [(beat, smf.key_signature(key)) for beat, key in changes(self.key)]
        tempos = [(beat, smf.tempo(bpm)) for beat, bpm in changes(self.tempo)]
        timed = [(round(beat * self.division), event) for beat, event in meters + keys + tempos]
        return sorted(timed, key=lambda event: event[0])

    def tracks(self) -> list[list[smf.Event]]:
        """Format 0: everything in one track. 1: a conductor track, then the parts. 2: each part a sequence of its own."""
        title = (0, smf.text(smf.TRACK_NAME, self.title, self.encoding))
        music = [part.music(self.division, self.end, self.running_status) for part in self.parts]
        if self.format == 0:
            setup = [event for part in self.parts for event in part.setup()]
            return [[title, *at_start(setup), *merge(self.conductor(), *music)]]
        names = [smf.text(smf.TRACK_NAME, part.name) for part in self.parts]
        parts = [at_start([name, *part.setup()]) + events for name, part, events in zip(names, self.parts, music, strict=True)]
        return [merge(self.conductor(), part) for part in parts] if self.format == 2 else [[title, *self.conductor()], *parts]

    def smf(self) -> bytes:
        """The piece as a Standard MIDI File."""
        ended = ([*events, (self.end, smf.END_OF_TRACK)] for events in self.tracks())
        return smf.smf([smf.track(events, self.running_status, end_of_track=False) for events in ended], self.division, self.format)


def changes(value: Changes[T] | None) -> Sequence[tuple[float, T]]:
    """(beat, value) pairs of one value, of several, or of none."""
    if value is None:
        return ()
    return value if isinstance(value, (list, tuple)) else ((0, value),)


def at_start(events: list[bytes]) -> list[smf.Event]:
    """Events at tick 0."""
    return [(0, event) for event in events]


def merge(*tracks: list[smf.Event]) -> list[smf.Event]:
    """Tracks as one, in time order; within a tick in the order of the tracks."""
    return sorted((event for track in tracks for event in track), key=lambda event: event[0])
