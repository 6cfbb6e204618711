from libc.stddef cimport size_t
from libc.stdint cimport uint8_t

cdef enum:
    MAX_METER = 4  # beats in a bar

# A tracked beat, and where it is in its bar.
cdef struct TrackedBeat:
    double seconds
    double downbeat  # score: how much it is a downbeat
    uint8_t back[MAX_METER]  # for each position, that of the beat before
    uint8_t position

cdef struct BarScores:  # scratch memory
    double best[MAX_METER]  # of the sequences that end with each position
    double longer[MAX_METER]


# Domain: at least one beat.
cdef void place_in_bars(BarScores *scores, TrackedBeat *beats, size_t n) noexcept nogil
