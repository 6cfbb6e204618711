from libc.stddef cimport size_t
from libc.stdint cimport uint16_t, uint32_t

cdef enum:
    LAGS = 208  # frames: 4.16 s, and thirteen vectors of sixteen
    FADED = 104  # lags that waves are laid over
    WAVES = 8
    MOST_PERIODS = 9

cdef double[FADED] FADE


cdef uint32_t onset_autocorrelation(const uint16_t *strength, const uint16_t *onsets, size_t n, uint16_t *sums) noexcept nogil
cdef void smooth_lags(const uint16_t *sums, uint32_t *smooth) noexcept nogil
cdef void waves(const double *loud, const double *low, const double *long_, const double *periods, int n, double *heights) noexcept nogil
