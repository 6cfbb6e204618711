from libc.stddef cimport size_t
from libc.stdint cimport uint8_t

from midiopt.core.smf.arena cimport Arena
from midiopt.core.smf.midi cimport Status

cdef Status parse_smf(const uint8_t *data, size_t size, Arena *arena, size_t max_events, size_t *offset) noexcept nogil
cdef int raise_status(Status status, size_t offset, size_t max_events) except -1
