from libc.stdint cimport uint8_t

from midiopt.core.smf.arena cimport Arena, Reading
from midiopt.core.smf.midi cimport Status
from midiopt.core.smf.track_chunk cimport TrackChunk


cdef Status mend_track(Arena *arena, const uint8_t *data, const uint8_t *end, const Reading *before, TrackChunk *track) noexcept nogil
