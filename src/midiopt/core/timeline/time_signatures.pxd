from libc.stddef cimport size_t
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from midiopt.core.memory cimport Scratch
from midiopt.core.smf.arena cimport Arena
from midiopt.core.smf.midi cimport Status
from midiopt.core.timeline.timed_values cimport TimedValues

# A signature as one number: numerator << 3 | the denominator's power of two.
cdef struct TimeSignatures:
    Scratch *scratch  # owns the arrays
    TimedValues changes  # codes of the current sequence: real changes only, in time order
    int64_t ticks[2048]  # in force, by code; all zero between files
    uint32_t main_code  # the code in force longest
    int32_t change_count  # after tick 0
    bint found


# Domain: ticks below 2**TICK_BITS, valid signatures (numerator 1 to 255, denominator power 0 to 7).
cdef Status read_time_signatures(
    TimeSignatures *signatures, const Arena *arena, const uint8_t *data, size_t first_track, size_t end_track, int64_t duration
) noexcept nogil


cdef inline uint32_t numerator_of(uint32_t code) noexcept nogil:
    return code >> 3


cdef inline uint32_t denominator_power_of(uint32_t code) noexcept nogil:
    return code & 7
