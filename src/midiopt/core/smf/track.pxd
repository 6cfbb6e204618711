from libc.stdint cimport uint8_t

from midiopt.core.smf.arena cimport Arena
from midiopt.core.smf.midi cimport Status

# Domain: files below 2**OFFSET_BITS bytes. Ticks from 2**TICK_BITS on are refused (TICK_TOO_HIGH), so no later kernel meets them.
cdef Status parse_track(const uint8_t *data, const uint8_t **resume, const uint8_t *end, Arena *arena) noexcept nogil
