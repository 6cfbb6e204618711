from libc.stdint cimport uint8_t

from midiopt.core.smf.arena cimport Arena
from midiopt.core.smf.midi cimport Status


cdef Status read_what_follows(Arena *arena, const uint8_t *data, const uint8_t *chunk, const uint8_t *end) noexcept nogil
cdef const uint8_t *pass_alien_chunk(Arena *arena, const uint8_t *data, const uint8_t *chunk, const uint8_t *end) noexcept nogil
