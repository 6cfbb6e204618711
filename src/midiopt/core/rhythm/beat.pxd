from libc.stddef cimport size_t
from libc.stdint cimport int32_t, uint32_t

from midiopt.core.rhythm.autocorrelation cimport LAGS, LANES, MAX_PERIODS, Fourier
from midiopt.core.rhythm.beat_network cimport Layers

cdef enum:
    STRENGTHS = 3  # of a frame with onsets: loudness, bass, length

cdef struct Autocorrelations:
    uint32_t values[STRENGTHS][LAGS]  # smoothed
    double expected[STRENGTHS]  # value at lag 0 if the same strengths were spread at random
    size_t frames  # from the first onset to the last

# Scratch memory of choose_beat. The strengths lie side by side, a vector of four doubles with the last unused.
cdef struct BeatScratch:
    double excess[LAGS][LANES]  # autocorrelations without their expected values
    double averaged[LAGS][LANES]  # the same averaged over neighbouring lags
    double by_lag_0[LANES]  # 1 / excess at lag 0
    double by_maximum[LANES]  # 1 / maximum of the averaged excess
    uint32_t averaged_sum[LAGS]  # loudness and length together, in fixed point
    uint32_t excess_sum[LAGS]
    Fourier fourier
    Layers layers
    double periods[MAX_PERIODS]
    double slowness[MAX_PERIODS]  # of candidates, in octaves
    double level_odds[MAX_PERIODS]
    double octave_odds[MAX_PERIODS]
    double odds[MAX_PERIODS]  # both together
    int peaks[MAX_PERIODS]
    double expected[LANES]
    double highest[3][LANES]
    double nearby[LANES]
    double prefix_sums[LAGS + 1][LANES]  # integers

cdef struct Beat:
    double period  # frames; 0 when no beat was found
    double confidence


# Domain: autocorrelations of small integers over at most 1,024 frames, see onsets.pyx; none exceeds 7 * 7 * 1024 * 16.
cdef Beat choose_beat(const Autocorrelations *a, BeatScratch *b, double density) noexcept nogil
cdef double refine_peak(const uint32_t *sums, int peak) noexcept nogil
