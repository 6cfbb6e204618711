from libc.stddef cimport size_t
from libc.stdint cimport uint16_t, uint32_t

cdef enum:
    LAGS = 208  # frames: 4.16 s, and thirteen vectors of sixteen
    FADED = 104  # lags that waves are laid over
    WAVES = 8
    MOST_PERIODS = 9

cdef double[FADED] FADE

cdef extern from *:
    """
    typedef unsigned short *restrict midiopt_lags;
    """
    ctypedef uint16_t *lags_pointer "midiopt_lags"  # nothing else points there, so no check for overlap is needed

cdef struct Waves:
    double curves[3][FADED]  # faded autocorrelations
    double sums[3][WAVES * MOST_PERIODS]  # their Fourier coefficients
    double here[WAVES * MOST_PERIODS]  # scratch: cosines
    double before[WAVES * MOST_PERIODS]
    double twice[WAVES * MOST_PERIODS]


cdef uint32_t onset_autocorrelation(const uint16_t *strength, const uint16_t *onsets, size_t n, lags_pointer sums) noexcept nogil
cdef void smooth_lags(const uint16_t *sums, uint32_t *smooth) noexcept nogil
cdef void waves(Waves *w, const double *periods, int n) noexcept nogil
