"""The beats of one file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from midiopt.api.one_file import parse
from midiopt.api.source import Source
from midiopt.api.time_line import TimeLine, arrays
from midiopt.core.rhythm.beat_view import read_beats
from midiopt.wording import counted


@dataclass(frozen=True, slots=True, eq=False)
class Beats(TimeLine):
    """The beats of a file in the order of time, as arrays of equal length."""

    position: npt.NDArray[np.int32]
    """The place of each beat in its bar, int32; 0 is the downbeat."""
    tracked: bool
    """Whether the beats were tracked through the onsets, because the notes do not keep to the ticks; else they are those of the bars."""

    def __repr__(self) -> str:
        return f"<Beats: {counted(len(self), 'beat')}, {counted(len(self.downbeats), 'downbeat')}{', tracked' * self.tracked}>"

    @property
    def downbeats(self) -> npt.NDArray[np.float64]:
        """The times of the beats that begin a bar, float64, in seconds."""
        found: npt.NDArray[np.float64] = self.seconds[self.position == 0]
        return found


def beats(source: Source) -> Beats:
    """The beats of one MIDI file, given like that of analyze(), at most 100,000.

    In written music they are those of the declared time signatures, from tick 0 to the end of the last note: quarters in 3/4, eighths in
    7/8, dotted quarters in 6/8, 9/8 and 12/8. Where the notes lie between the quarters of the ticks the beats follow the notes. In recorded
    performances, and under an SMPTE division, beats are tracked from the onsets, from the first beat played to the last, with as many to a
    bar as ``Analysis.meter_estimated`` says; there are none where ``Analysis.bpm_onsets`` is None. docs/accuracy.md says how often they are
    right. In a file of format 2 the beats are those of the first track that has notes. Raises the same errors as notes().
    """
    tracked, found = read_beats(parse(source))
    tick, seconds, position = arrays(found, "int64", "float64", "int32")
    return Beats(tick, seconds, position, tracked)
