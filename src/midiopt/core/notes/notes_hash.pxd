from libc.stdint cimport uint8_t, uint64_t

from midiopt.core.notes.types cimport Notes
from midiopt.core.timeline.tempo_map cimport TempoMap

# Domain: ticks below 2**TICK_BITS, which are exact as doubles.
cdef void add_notes_hash(Notes *notes, const TempoMap *map) noexcept nogil


cdef inline void put_notes_hash(uint8_t *bytes, uint64_t notes_hash) noexcept nogil:
    """Write the hash as a row has it: the high byte first, as XXH3-64 is printed."""
    cdef int i
    for i in range(8):
        bytes[i] = <uint8_t>(notes_hash >> (56 - 8 * i))
