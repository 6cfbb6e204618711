from libc.stddef cimport size_t
from libc.stdint cimport uint8_t

cdef enum:
    POSITIONS = 2 + 3 + 4  # of beats in bars of each meter

# A tracked beat, and where it is in its bar.
cdef struct TrackedBeat:
    double seconds
    double downbeat  # score: how much it is a downbeat
    uint8_t back[POSITIONS]  # for each position, that of the beat before
    uint8_t position

# Domain: at least one beat.
cdef void place_in_bars(TrackedBeat *beats, size_t n) noexcept nogil
