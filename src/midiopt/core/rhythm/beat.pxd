from libc.stddef cimport size_t
from libc.stdint cimport uint32_t

from midiopt.core.rhythm.autocorrelation cimport LAGS

cdef enum:
    STRENGTHS = 3  # loud, low, long

cdef struct Echo:  # how well the music fits onto itself
    uint32_t sums[STRENGTHS][LAGS]  # autocorrelations, smoothed
    double chance[STRENGTHS]  # what they would be at lag 0 if the same strengths fell anywhere
    size_t frames  # from the first onset to the last

cdef struct Beat:
    double period  # frames; 0 when there is none
    double confidence


cdef Beat choose_beat(const Echo *echo, double density, double drums) noexcept nogil
cdef double refined(const uint32_t *sums, int peak) noexcept nogil
