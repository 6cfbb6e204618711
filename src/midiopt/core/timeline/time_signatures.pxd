from libc.stddef cimport size_t
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from midiopt.core.smf.arena cimport Arena
from midiopt.core.smf.midi cimport Status

cdef struct Signature:
    int64_t tick  # where it is declared
    uint32_t order  # of arrival
    uint32_t code  # numerator << 3 | the denominator's power of two

cdef struct Meter:
    Signature *declared  # of the sequence read last: real changes only, in order of their ticks
    size_t count, capacity
    int64_t ticks[2048]  # in force, by code; all zero between files
    uint32_t longest  # the code in force longest
    int32_t changes
    bint found


cdef Status read_meter(Meter *meter, const Arena *arena, const uint8_t *data, size_t first, size_t last, int64_t duration) noexcept nogil
cdef void meter_trim(Meter *meter) noexcept nogil
cdef void meter_free(Meter *meter) noexcept nogil
