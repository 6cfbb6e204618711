from libc.stddef cimport size_t
from libc.stdint cimport uint8_t

from midiopt.core.smf.arena cimport Arena
from midiopt.core.smf.midi cimport Status


cdef const uint8_t *find_header(const uint8_t *data, const uint8_t **end, Arena *arena) noexcept nogil
cdef Status read_header(
    const uint8_t *data, const uint8_t *header, const uint8_t *end, Arena *arena, const uint8_t **chunk, size_t *offset
) noexcept nogil
