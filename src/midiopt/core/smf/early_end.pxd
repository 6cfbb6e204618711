from libc.stddef cimport size_t
from libc.stdint cimport uint8_t

from midiopt.core.smf.arena cimport Arena, Reading
from midiopt.core.smf.midi cimport Status
from midiopt.core.smf.track_chunk cimport TrackChunk


cdef Status mend_early_end(
    Arena *arena, const uint8_t *data, const uint8_t *end, bint fits, const Reading *before, TrackChunk *track
) noexcept nogil
cdef bint has_note(const Arena *arena, size_t first_event, size_t end_event) noexcept nogil
