from libc.stdint cimport int64_t, uint8_t

from midiopt.core.rhythm.pulses cimport KEYS, PULSE_BLOCK_SIZE, Pulses

cdef enum:
    MAX_PULSES_AWAY = 32  # of a pulse that another is compared with
    OWN_FEATURES = 7 + 2 * KEYS
    NEIGHBOUR_FEATURES = 6  # of the pulse before, and of the one after
    FEATURES = OWN_FEATURES + 2 * NEIGHBOUR_FEATURES + 1
    UNITS = 16
    LANES = PULSE_BLOCK_SIZE
    ROW = LANES + 8  # a lane more to each side

# Scratch memory of rate_pulses, all zero at first: a lane per pulse of a block. Arrays are fields of one struct, so that the loops need
# no check for overlap.
cdef struct PulseNetwork:
    uint8_t keys[2 * MAX_PULSES_AWAY + LANES]
    uint8_t away[LANES]
    float own[OWN_FEATURES + 1][ROW]  # the last of them is 1
    float hidden[UNITS][LANES]
    float beat[LANES]
    float downbeat[LANES]


cdef void rate_pulses(PulseNetwork *network, Pulses *pulses) noexcept nogil
