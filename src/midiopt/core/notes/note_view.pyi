from typing import Self

import numpy as np
import numpy.typing as npt
from typing_extensions import Buffer, disjoint_base

@disjoint_base
class Notes:
    """The notes of one file, track after track and there in the order of their onsets: one read-only numpy array per column.

    The arrays share memory that belongs to this object while it, or one of them, lives.
    """

    ticks_per_quarter: float
    """Ticks per quarter; under an SMPTE division, ticks in half a second, which is a quarter at 120 BPM."""

    def __new__(cls, data: Buffer) -> Self: ...
    def __len__(self) -> int:
        """Number of notes."""
    @property
    def onset(self) -> npt.NDArray[np.int32] | npt.NDArray[np.int64]:
        """Ticks from the start of the file; int32, or int64 in a file with a tick from 2**30 on."""
    @property
    def length(self) -> npt.NDArray[np.int32] | npt.NDArray[np.int64]:
        """Ticks, with the type of ``onset``; docs/policy.md says what ends a note."""
    @property
    def onset_s(self) -> npt.NDArray[np.float64]:
        """Seconds from the start of the file by the tempo map, float64."""
    @property
    def end_s(self) -> npt.NDArray[np.float64]:
        """The end of the note: seconds from the start of the file, float64."""
    @property
    def pitch(self) -> npt.NDArray[np.uint8]:
        """0 to 127, uint8; 60 is middle C."""
    @property
    def velocity(self) -> npt.NDArray[np.uint8]:
        """1 to 127, uint8."""
    @property
    def channel(self) -> npt.NDArray[np.uint8]:
        """0 to 15, uint8."""
    @property
    def program(self) -> npt.NDArray[np.uint8]:
        """Number of the General MIDI program in force at the onset, 0 to 127, uint8; for a drum, that of the kit."""
    @property
    def is_drum(self) -> npt.NDArray[np.bool_]:
        """Whether the part plays drums, bool."""
    @property
    def track(self) -> npt.NDArray[np.uint16]:
        """Index of the track in the file, uint16."""
