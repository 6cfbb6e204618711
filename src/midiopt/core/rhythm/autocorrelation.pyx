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


cdef uint32_t onset_autocorrelation(const uint16_t *strength, const uint16_t *onsets, size_t n, lags_pointer sums) noexcept nogil:
    """sums[lag] = the sum of strength[i] * strength[i + lag] over the frames i in `onsets`, modulo 2**16; returns the sum of
    strength[i] over these.

    LAGS frames must follow the last of `onsets`.
    """
    cdef const uint16_t *here
    cdef uint16_t weight
    cdef uint32_t all_weights = 0
    cdef size_t i
    cdef int lag
    memset(sums, 0, LAGS * sizeof(uint16_t))
    for i in range(n):
        here = strength + onsets[i]
        weight = here[0]
        if weight == 0:
            continue
        all_weights += weight
        for lag in range(LAGS):
            sums[lag] += <uint16_t>(weight * here[lag])
    return all_weights


cdef void smooth_lags(const uint16_t *sums, uint32_t *smooth) noexcept nogil:
    """Smooth twice by 1 2 1, which is once by 1 4 6 4 1: what one smoothing of the onsets in time, and one more, would give.
    At both ends the inner smoothing counts as 0; the last is 0, and the first as it was, in the same measure."""
    cdef int lag
    for lag in range(2, LAGS - 2):
        smooth[lag] = (
            <uint32_t>sums[lag - 2] + <uint32_t>sums[lag + 2] + 4 * (<uint32_t>sums[lag - 1] + <uint32_t>sums[lag + 1])
            + 6 * <uint32_t>sums[lag]
        )
    smooth[0] = 16 * <uint32_t>sums[0]
    smooth[1] = 2 * <uint32_t>sums[0] + 5 * <uint32_t>sums[1] + 4 * <uint32_t>sums[2] + <uint32_t>sums[3]
    smooth[LAGS - 2] = (
        <uint32_t>sums[LAGS - 4] + 4 * <uint32_t>sums[LAGS - 3] + 5 * <uint32_t>sums[LAGS - 2] + 2 * <uint32_t>sums[LAGS - 1]
    )
    smooth[LAGS - 1] = 0


cdef void waves(Waves *w, const double *periods, int n) noexcept nogil:
    """The Fourier coefficients of three faded autocorrelations at 1, 2, 3, 4, 6, 8, 12 and 16 times the frequency of four of
    each of n periods, at most MOST_PERIODS; WAVES * n numbers for each.

    All frequencies go side by side. The next cosine is that before the last, taken from the last times twice the first; four
    lags are added up at a time.
    """
    cdef double p, q, r, s, t
    cdef double *first
    cdef int lag, i
    for i in range(n):
        first = &w.twice[i * WAVES]
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
        w.sums[0][i] = w.sums[1][i] = w.sums[2][i] = 0
        w.here[i] = 1
        w.before[i] = w.twice[i] / 2
    for lag in range(0, FADED, 4):
        for i in range(n):
            t = w.twice[i]
            p = w.here[i]
            q = t * p - w.before[i]
            r = t * q - p
            s = t * r - q
            w.sums[0][i] += (w.curves[0][lag] * p + w.curves[0][lag + 1] * q) + (w.curves[0][lag + 2] * r + w.curves[0][lag + 3] * s)
            w.sums[1][i] += (w.curves[1][lag] * p + w.curves[1][lag + 1] * q) + (w.curves[1][lag + 2] * r + w.curves[1][lag + 3] * s)
            w.sums[2][i] += (w.curves[2][lag] * p + w.curves[2][lag + 1] * q) + (w.curves[2][lag + 2] * r + w.curves[2][lag + 3] * s)
            w.here[i] = t * s - r
            w.before[i] = s
