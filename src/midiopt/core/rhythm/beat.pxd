from libc.stddef cimport size_t
from libc.stdint cimport uint32_t

from midiopt.core.rhythm.autocorrelation cimport LAGS, MOST_PERIODS, Waves
from midiopt.core.rhythm.beat_network cimport Layers

cdef enum:
    STRENGTHS = 3  # loud, low, long

cdef struct Echo:  # how well the music fits onto itself
    uint32_t sums[STRENGTHS][LAGS]  # autocorrelations, smoothed
    double chance[STRENGTHS]  # what they would be at lag 0 if the same strengths fell anywhere
    size_t frames  # from the first onset to the last

cdef struct BeatScratch:
    double excess[STRENGTHS][LAGS]
    double wide[STRENGTHS][LAGS]
    uint32_t both[LAGS]
    uint32_t sharp[LAGS]
    Waves waves
    Layers layers
    double periods[MOST_PERIODS]
    double scores[MOST_PERIODS]
    int peaks[MOST_PERIODS]
    int before[LAGS + 1]

cdef struct Beat:
    double period  # frames; 0 when there is none
    double confidence


cdef Beat choose_beat(const Echo *echo, BeatScratch *b, double density, double drums) noexcept nogil
cdef double refined(const uint32_t *sums, int peak) noexcept nogil
