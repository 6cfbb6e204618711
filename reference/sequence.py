"""A sequence: tracks that play together, with one tempo map. Formats 0 and 1 hold one, format 2 one per track.

Time is exact: a tick maps to an integer number of *time units* (microseconds times ticks per quarter; SMPTE ticks under
an SMPTE division), and one division turns units into seconds.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any, TypeAlias, TypeVar

from reference.pairing import key_event, pair
from reference.parts import Parts
from reference.tracks import Division, Message, Track

T = TypeVar("T")
Facts: TypeAlias = dict[str, Any]  # column name -> value, None for null

DEFAULT_TEMPO = 500_000  # microseconds per quarter: 120 BPM


def last_at_each_tick(changes: Iterable[tuple[int, T]]) -> list[tuple[int, T]]:
    """Of (tick, value) in time order, the value in force after each tick."""
    return list(dict(changes).items())


def is_valid_time_signature(message: Message) -> bool:
    """Numerator of at least 1, denominator of at most 128."""
    return bool(message.numerator >= 1 and message.denominator <= 2**7)


class TempoMap:
    """Converts ticks to exact time units and to seconds."""

    def __init__(self, division: Division, tempos: list[tuple[int, int]]) -> None:
        """`tempos` are (tick, microseconds per quarter) in time order; ignored under an SMPTE division."""
        self.units_per_second: float
        if division.ticks_per_quarter is None:
            self.units_per_second = division.smpte_ticks_per_second
            self.segments = [(0, 1)]  # one unit per tick
        else:
            self.units_per_second = 1_000_000 * division.ticks_per_quarter
            self.segments = last_at_each_tick([(0, DEFAULT_TEMPO), *tempos])
        self._starts = [tick for tick, _ in self.segments]
        self._units = [0]  # at the start of each segment
        for (start, tempo), (end, _) in pairwise(self.segments):
            self._units.append(self._units[-1] + (end - start) * tempo)

    def units_per_tick(self, tick: int) -> int:
        """The tempo in force at a tick."""
        return self.segments[bisect_right(self._starts, tick) - 1][1]

    def units(self, tick: int) -> int:
        """Time units from the beginning to a tick."""
        i = bisect_right(self._starts, tick) - 1
        start, tempo = self.segments[i]
        return self._units[i] + (tick - start) * tempo

    def seconds(self, tick: int) -> float:
        """Seconds from the beginning to a tick."""
        return self.units(tick) / self.units_per_second


@dataclass(frozen=True)
class Note:
    """A paired note-on and note-off."""

    onset: int  # ticks
    end: int  # ticks
    channel: int  # from 0
    pitch: int
    velocity: int
    program: int  # in force on the part at the onset
    pitched: bool  # whether the part is not drums
    track: int


class Sequence:
    """Events of all tracks in (tick, track, position) order, and the notes that they make."""

    def __init__(self, tracks: list[Track], division: Division) -> None:
        # The sort is stable, which leaves events of one tick in (track, position) order.
        self.events = sorted(((tick, i, m) for i, track in enumerate(tracks) for tick, m in track), key=lambda event: event[0])
        self.track_ends = [track[-1][0] if track else 0 for track in tracks]  # ticks
        self.duration = max(self.track_ends)  # ticks
        smpte = division.ticks_per_quarter is None
        self.tempos = [] if smpte else [(tick, m.tempo) for tick, _, m in self.events if m.type == "set_tempo" and m.tempo > 0]
        self.tempo_map = TempoMap(division, self.tempos)
        self.quarter = division.quarter  # ticks
        self.parts = Parts(tracks, division.quarter)
        self.notes = self._pair_notes()
        self.pitched = [n for n in self.notes if n.pitched]
        self.music_end = max((n.end for n in self.notes), default=self.duration)  # ticks

    def _pair_notes(self) -> list[Note]:
        """The notes of all tracks."""
        events = []
        for tick, track, m in self.events:
            self.parts.apply(track, m)
            if m.type in ("note_on", "note_off", "control_change"):
                part = self.parts.in_force(track, m.channel)
                event = key_event(tick, track, m.bytes(), part.program, part.drums, self.parts.port_of(track))
                events += [event] if event else []
        paired = sorted(pair(events, self.track_ends), key=lambda note: note.end)
        return [Note(n.on.tick, n.end, n.on.channel, n.on.pitch, n.on.velocity, n.on.program, not n.on.drums, n.on.track) for n in paired]

    def time_signatures(self) -> list[tuple[int, int, int]]:
        """(tick, numerator, denominator) wherever the time signature really changes."""
        declared = [
            (tick, (m.numerator, m.denominator)) for tick, _, m in self.events if m.type == "time_signature" and is_valid_time_signature(m)
        ]
        changes = groupby(last_at_each_tick(declared), key=lambda change: change[1])
        return [(next(group)[0], *signature) for signature, group in changes]

    def sounding_units(self, note: Note) -> int:
        """Length of a note in time units."""
        return self.tempo_map.units(note.end) - self.tempo_map.units(note.onset)

    def nominal_seconds(self, note: Note) -> float:
        """Length of a note if the tempo of its onset stayed in force."""
        return (note.end - note.onset) * self.tempo_map.units_per_tick(note.onset) / self.tempo_map.units_per_second

    def polyphony(self) -> tuple[int, int]:
        """The maximum number of simultaneous pitched notes, and the time units in which any sounds; intervals are half-open."""
        change: Counter[int] = Counter()
        for n in self.pitched:
            if n.end > n.onset:
                change[n.onset] += 1
                change[n.end] -= 1
        sounding = maximum = covered = 0
        for tick, following in pairwise(sorted(change)):
            sounding += change[tick]
            maximum = max(maximum, sounding)
            if sounding:
                covered += self.tempo_map.units(following) - self.tempo_map.units(tick)
        return maximum, covered
