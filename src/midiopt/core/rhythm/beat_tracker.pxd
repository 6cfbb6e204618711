from libc.stddef cimport size_t
from libc.stdint cimport int64_t

from midiopt.core.rhythm.pulses cimport Pulse

cdef struct Track:
    double period  # seconds per beat at the beginning
    double score
    int64_t last  # index of the pulse that is the last beat


# Domain: at least one pulse, in time order, with scores, and a period above 0. track_beats sets the best sequence that ends with each
# pulse; choose_track sets those of the best track.
cdef Track track_beats(Pulse *pulses, size_t n, double period) noexcept nogil
cdef Track choose_track(Pulse *pulses, size_t n, double period) noexcept nogil
