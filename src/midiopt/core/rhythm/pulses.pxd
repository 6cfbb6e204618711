from libc.stddef cimport size_t
from libc.stdint cimport int64_t

cdef enum:
    KEYS = 5  # by which a pulse is compared with those before and after: low, high, loud, many notes, long
    OWN_FEATURES = 7 + 2 * KEYS
    NEIGHBOUR_FEATURES = 6  # of the pulse before, and of the one after
    FEATURES = OWN_FEATURES + 2 * NEIGHBOUR_FEATURES + 1
    UNITS = 16

# Notes that begin together, and the best sequence of beats that ends with them.
cdef struct Pulse:  # what pairs of pulses need is in the first 64 bytes
    double seconds  # of the first of them
    double period  # seconds per beat at the end of the sequence
    double score  # of the sequence
    double beat  # score of the pulse, about the logarithm of the odds
    double downbeat
    int64_t before  # index of the pulse that is the beat before; -1 where the sequence begins
    int64_t steps  # beats from that one to this: those between have no onset
    double features[OWN_FEATURES]
    double keys[KEYS]

cdef struct TimedNote:
    double seconds
    double length  # seconds
    int pitch
    int velocity

cdef struct PulseNetwork:  # scratch memory
    double features[FEATURES]
    double hidden[UNITS]


# Domain: n notes in any order, with times that are finite.
cdef size_t group_notes(TimedNote *notes, size_t n, Pulse *pulses) noexcept nogil
cdef void rate_pulses(PulseNetwork *network, Pulse *pulses, int64_t n) noexcept nogil
