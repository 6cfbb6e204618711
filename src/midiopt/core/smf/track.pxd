from libc.stdint cimport uint8_t

from midiopt.core.smf.arena cimport Arena
from midiopt.core.smf.midi cimport Status

cdef Status parse_track(const uint8_t *data, const uint8_t **resume, const uint8_t *end, Arena *arena) noexcept nogil
