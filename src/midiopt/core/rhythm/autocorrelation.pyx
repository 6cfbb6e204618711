"""The loops over lags that gcc vectorises; a test reads it in the disassembly.

A module of its own, so that they stay functions with a name. Integers, and the lag in the inner loop, or floats, and what
waves are laid over lags there: gcc 12 calls a sum of floats over time vectorised and then adds one at a time.
"""

from libc.math cimport cos
from libc.string cimport memset

cdef double PI = 3.141592653589793

# How lags count where waves are laid over them (a Hann window): those before 0 are the same once more.
cdef int _lag
FADE[0] = 1
for _lag in range(1, FADED):
    FADE[_lag] = 1 + cos(PI * _lag / FADED)


cdef uint32_t onset_autocorrelation(const uint16_t *strength, const uint16_t *onsets, size_t n, uint16_t *sums) noexcept nogil:
    """sums[lag] = the sum of strength[i] * strength[i + lag] over the frames i in `onsets`, modulo 2**16; returns the sum of
    strength[i] over these.

    LAGS frames must follow the last of `onsets`.
    """
    cdef uint16_t[LAGS] total  # local: nothing else can point to it, so no check for overlap is needed
    cdef const uint16_t *here
    cdef uint16_t weight
    cdef uint32_t all_weights = 0
    cdef size_t i
    cdef int lag
    memset(total, 0, sizeof(total))
    for i in range(n):
        here = strength + onsets[i]
        weight = here[0]
        if weight == 0:
            continue
        all_weights += weight
        for lag in range(LAGS):
            total[lag] += <uint16_t>(weight * here[lag])
    for lag in range(LAGS):
        sums[lag] = total[lag]
    return all_weights


cdef void smooth_lags(const uint16_t *sums, uint32_t *smooth) noexcept nogil:
    """Smooth twice by 1 2 1: what one smoothing of the onsets in time, and one more, would give. The last is 0,
    and the first as it was, in the same measure."""
    cdef uint32_t[LAGS] once
    cdef int lag
    once[0] = once[LAGS - 1] = smooth[LAGS - 1] = 0
    for lag in range(1, LAGS - 1):
        once[lag] = <uint32_t>sums[lag - 1] + 2 * <uint32_t>sums[lag] + <uint32_t>sums[lag + 1]
    for lag in range(1, LAGS - 1):
        smooth[lag] = once[lag - 1] + 2 * once[lag] + once[lag + 1]
    smooth[0] = 16 * <uint32_t>sums[0]


cdef void waves(const double *loud, const double *low, const double *long_, const double *periods, int n, double *heights) noexcept nogil:
    """The Fourier coefficients of three faded autocorrelations at 1, 2, 3, 4, 6, 8, 12 and 16 times the frequency of four of
    each of n periods, at most MOST_PERIODS; WAVES * n numbers for each.

    All frequencies go side by side. The next cosine is that before the last, taken from the last times twice the first; four
    lags are added up at a time.
    """
    cdef double[WAVES * MOST_PERIODS] a, b, c, here, before, twice
    cdef double p, q, r, s, t
    cdef double *first
    cdef int lag, i
    for i in range(n):
        first = twice + i * WAVES
        first[0] = 2 * cos(PI / (2 * periods[i]))  # 1
        first[1] = first[0] * first[0] - 2  # 2
        first[2] = first[0] * first[1] - first[0]  # 3
        first[3] = first[1] * first[1] - 2  # 4
        first[4] = first[2] * first[2] - 2  # 6
        first[5] = first[3] * first[3] - 2  # 8
        first[6] = first[4] * first[4] - 2  # 12
        first[7] = first[5] * first[5] - 2  # 16
    n *= WAVES
    for i in range(n):
        a[i] = b[i] = c[i] = 0
        here[i] = 1
        before[i] = twice[i] / 2
    for lag in range(0, FADED, 4):
        for i in range(n):
            t = twice[i]
            p = here[i]
            q = t * p - before[i]
            r = t * q - p
            s = t * r - q
            a[i] += (loud[lag] * p + loud[lag + 1] * q) + (loud[lag + 2] * r + loud[lag + 3] * s)
            b[i] += (low[lag] * p + low[lag + 1] * q) + (low[lag + 2] * r + low[lag + 3] * s)
            c[i] += (long_[lag] * p + long_[lag + 1] * q) + (long_[lag + 2] * r + long_[lag + 3] * s)
            here[i] = t * s - r
            before[i] = s
    for i in range(n):
        heights[i] = a[i]
        heights[n + i] = b[i]
        heights[2 * n + i] = c[i]
