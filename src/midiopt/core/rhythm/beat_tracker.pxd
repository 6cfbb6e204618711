from libc.stddef cimport size_t
from libc.stdint cimport int64_t

from midiopt.core.rhythm.pulses cimport Pulse

cdef struct Track:
    double period  # seconds per beat at the beginning
    double score
    int64_t last  # index of the pulse that is the last beat


# Domain: at least one pulse, in time order, with scores, and a period above 0. Sets, for each pulse that may be a beat, the sequence of
# the best track that ends with it.
cdef Track choose_track(Pulse *pulses, size_t n, double period) noexcept nogil
