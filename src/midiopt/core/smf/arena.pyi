from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from typing_extensions import disjoint_base

@disjoint_base
class EventArena:
    """The events of one MIDI file, in memory that is reused for the next one."""

    @property
    def format(self) -> int:
        """SMF format: 0, 1 or 2; a file with a number above 2 is read as format 1."""
    @property
    def division(self) -> int:
        """The header's division as written: ticks per quarter, or SMPTE when above 0x7FFF."""
    @property
    def issues(self) -> int:
        """Bits of what was repaired or is unusual; schema.issue_names() names them."""
    def __len__(self) -> int:
        """Number of events."""
    def __buffer__(self, flags: int, /) -> memoryview: ...
    def events(self) -> npt.NDArray[np.void]:
        """All events of all tracks, track after track, as a read-only numpy array that shares the arena's memory.

        Fields: tick (int64, from the start of the track), mark (uint32, row in marks() of a meta, system-exclusive or
        program-change event, else 0), status, data1, data2 (uint8; data1 of a meta event is its type).
        """
    def marks(self) -> list[tuple[int, int, int, bytes, bool]]:
        """Meta, system-exclusive and program-change events, as a list of tuples.

        Each is (row in events(), status, meta type or 0, data, valid); a meta event whose length or value breaks the
        format is not valid.
        """
    def tracks(self) -> list[tuple[int, int, int]]:
        """(first row in events(), number of events, tick of the last event) of each track, as a list of tuples."""
    def to_bytes(self, tracks: Sequence[npt.ArrayLike] | None = None) -> bytes:
        """A valid Standard MIDI File with these events, which reads back as they are; what no valid file can hold is left out.

        With ``tracks``, a file of other tracks: for each, rows of events() in the order of their ticks. It has format 1, or 0 if there is
        one. Raises ValueError if the arena holds no file, or for rows that are not there or not in order.
        """
    def reset(self) -> None:
        """Drop the events and free the memory. Raises BufferError while a view from events() lives."""
