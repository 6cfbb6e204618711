from libc.stddef cimport size_t
from libc.stdint cimport uint32_t

from .periodicity cimport LAGS

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
cdef double mean_level(const uint32_t *sums) noexcept nogil
cdef double refined(const uint32_t *sums, int peak) noexcept nogil


cdef inline double level(const uint32_t *sums, double mean, double lag) noexcept nogil:
    """0 to 1, half at the mean: the highest value near a lag, over itself and the mean."""
    cdef int at = <int>lag
    cdef uint32_t highest
    if at + 3 > LAGS or mean == 0:
        return 0
    highest = max(sums[at], sums[at + 1])
    if lag >= 60:
        highest = max(highest, max(sums[at - 1], sums[at + 2]))
    return highest / (highest + mean)
