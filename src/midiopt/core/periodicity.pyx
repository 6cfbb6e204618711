"""The loops over lags that gcc vectorises; a test reads it in the disassembly.

A module of its own, so that they stay functions with a name. Integers, and the lag in the inner loop:
gcc 12 calls a sum of floats over time vectorised and then adds one at a time.
"""

from libc.string cimport memset


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
