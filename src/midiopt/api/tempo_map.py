"""The tempo map and the time signatures of one file."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from midiopt.api.one_file import parse
from midiopt.api.source import Source
from midiopt.core.timeline.timeline_view import read_timeline
from midiopt.wording import counted


class TimeSignature(NamedTuple):
    """A time signature, in force from a tick on."""

    tick: int
    """The first tick with it."""
    numerator: int
    """The number of beats to a bar as written: 6 in 6/8."""
    denominator: int
    """The note value of a beat as written, a power of two: 8 in 6/8."""


@dataclass(frozen=True, slots=True, eq=False)
class TempoMap:
    """The time of a file: segments of equal tempo, as arrays of equal length, and the time signatures."""

    ticks_per_quarter: float
    """Under an SMPTE division, ticks in half a second, which is a quarter at 120 BPM."""
    tick: npt.NDArray[np.int64]
    """The tick at which each segment starts, int64; the first is 0."""
    seconds: npt.NDArray[np.float64]
    """The time at which each segment starts, float64, in seconds."""
    tempo: npt.NDArray[np.uint32]
    """Microseconds per quarter, uint32; 500,000 before the first tempo event."""
    time_signatures: list[TimeSignature]
    """The changes in time order; 4/4 holds before the first, by convention."""

    def __repr__(self) -> str:
        tempos, signatures = counted(len(self.tick), "tempo"), counted(len(self.time_signatures), "time signature")
        return f"<TempoMap: {self.ticks_per_quarter:g} ticks per quarter, {tempos}, {signatures}>"

    @property
    def bpm(self) -> npt.NDArray[np.float64]:
        """Quarters per minute, float64."""
        return 60e6 / self.tempo

    def seconds_at(self, ticks: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """The time of each tick in seconds, float64, with the shape of ``ticks``; before tick 0 it is negative, at the first tempo."""
        ticks = np.asarray(ticks)
        segment = np.maximum(np.searchsorted(self.tick, ticks, side="right") - 1, 0)
        rate = self.tempo / (1e6 * self.ticks_per_quarter)
        found: npt.NDArray[np.float64] = self.seconds[segment] + (ticks - self.tick[segment]) * rate[segment]
        return found


def tempo_map(source: Source, track: int | None = None) -> TempoMap:
    """The tempo map and the time signatures of one MIDI file, given like that of analyze().

    In a file of format 2 each track has its own time: ``track`` is its index, by default 0. Raises the same errors as notes(), and
    IndexError for a track that is not there.
    """
    events = parse(source)
    tracks = len(events.tracks())
    track = None if track is None else operator.index(track)
    if track is not None and not 0 <= track < tracks:
        raise IndexError(f"there is no track {track}: the file has {tracks:,}, counted from 0")
    first, end = (track or 0, (track or 0) + 1) if events.format == 2 else (0, tracks)
    ticks_per_quarter, segments, signatures = read_timeline(events, first, end)
    tick, seconds, tempo = zip(*segments, strict=True)
    return TempoMap(
        ticks_per_quarter,
        np.array(tick, np.int64),
        np.array(seconds, np.float64),
        np.array(tempo, np.uint32),
        [TimeSignature(*signature) for signature in signatures],
    )
