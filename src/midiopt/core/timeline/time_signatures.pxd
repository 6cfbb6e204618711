from libc.stddef cimport size_t
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from midiopt.core.smf.arena cimport Arena
from midiopt.core.smf.midi cimport Status

cdef struct TimeSignature:
    int64_t tick  # where it is declared
    uint32_t order  # of arrival
    uint32_t code  # numerator << 3 | the denominator's power of two

cdef struct TimeSignatures:
    TimeSignature *signatures  # of the sequence read last: real changes only, in order of their ticks
    size_t count, capacity
    int64_t ticks[2048]  # in force, by code; all zero between files
    uint32_t main_code  # the code in force longest
    int32_t change_count
    bint found


cdef Status read_time_signatures(TimeSignatures *meter, const Arena *arena, const uint8_t *data, size_t first, size_t last, int64_t duration) noexcept nogil
cdef void time_signatures_trim(TimeSignatures *meter) noexcept nogil
cdef void time_signatures_free(TimeSignatures *meter) noexcept nogil
