from libc.stddef cimport size_t
from libc.stdint cimport int64_t

# Notes that begin together, and the best sequence of beats that ends with them.
cdef struct Pulse:
    double seconds  # of the first of them
    double salience
    double score  # of the sequence
    double period  # seconds per beat at its end
    int64_t before  # index of the pulse that is the beat before; -1 where the sequence begins
    int steps  # beats from that one to this: those between have no onset

cdef struct TimedNote:
    double seconds
    float length  # seconds
    int velocity


# Domain: n notes in any order, with times that are finite.
cdef size_t group_notes(TimedNote *notes, size_t n, Pulse *pulses) noexcept nogil
# Domain: pulses in time order, a period above 0. Returns the index of the last beat, -1 without pulses.
cdef int64_t track_beats(Pulse *pulses, size_t n, double period) noexcept nogil
