from midiopt.core.memory cimport LentBlock
from midiopt.core.notes.types cimport NoteColumns
from midiopt.core.timeline.tempo_map cimport TempoMap


cdef class Notes:
    cdef NoteColumns columns
    cdef LentBlock block
    cdef LentBlock seconds_block  # empty until the seconds are asked for, but where tracks have their own time
    cdef TempoMap map  # without it; only its segments
    cdef readonly double ticks_per_quarter
    """Ticks per quarter; under an SMPTE division, ticks in half a second, which is a quarter at 120 BPM."""

    cdef object column(self, int item_type, const void *items)
    cdef object ticks(self, const void *items)
    cdef int time(self) except -1
