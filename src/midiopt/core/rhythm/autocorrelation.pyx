"""The loops over autocorrelation lags that gcc vectorises; tests/core/test_vectors.py reads them in the disassembly.

A separate module, so that each remains a function with a symbol. Integer loops run over the lags; loops of floats run over
periods and frequencies, since gcc 12 reports a float sum over the lags as vectorised and then adds one value at a time.
"""

from libc.math cimport cos, pi
from libc.stddef cimport size_t
from libc.string cimport memset

cdef int _lag
HANN[0] = 1
for _lag in range(1, HANN_LAGS):
    HANN[_lag] = 1 + cos(pi * _lag / HANN_LAGS)


cdef void add_windows(
    const uint8_t *strengths, uint16_t *frames, size_t n, uint32_t weight, size_t max_frames, restrict_uint16 sums, restrict_uint8 bytes
) noexcept nogil:
    """Add weight * strengths[i + lag] to sums[lag] over the `n` frames i in `frames`, all of the strength `weight`.

    First without the weight in bytes, 32 lags in a vector, which `max_frames` frames cannot exceed. LAGS frames must follow each,
    and an item each list; `bytes` is scratch memory for LAGS bytes.
    """
    cdef size_t count
    cdef uint16_t next_frame
    cdef int lag
    while n:
        count = min(n, max_frames)
        next_frame = frames[count]
        frames[count] = SILENT_FRAME
        sum_windows(strengths, frames, bytes)
        frames[count] = next_frame
        for lag in range(LAGS):
            sums[lag] += <uint16_t>(weight * bytes[lag])
        frames += count
        n -= count


cdef void sum_windows(const uint8_t *strengths, const uint16_t *frames, restrict_uint8 sums) noexcept nogil:
    """Set sums[lag] to the sum of strengths[i + lag] over the frames i in `frames`, up to one without strength.

    As the number of frames is unknown and nothing is skipped, gcc 12 keeps the sums in registers; over a counted list it
    interchanges the loops instead.
    """
    cdef const uint8_t *here = strengths + frames[0]
    cdef int lag
    memset(sums, 0, LAGS)
    while here[0]:
        for lag in range(LAGS):
            sums[lag] += here[lag]
        frames += 1
        here = strengths + frames[0]


cdef void smooth_lags(const uint16_t *sums, uint32_t *smooth) noexcept nogil:
    """Smooth LAGS values twice by 1 2 1, which is once by 1 4 6 4 1.

    This has the effect of smoothing the onsets in time and the result once more. The ends of the intermediate result are 0;
    the last value is 0, and the first is kept, on the same scale.
    """
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


cdef void fourier_at_multiples(Fourier *f, const double *periods, int n) noexcept nogil:
    """Fourier coefficients of the windowed autocorrelations for each of n periods, at most MAX_PERIODS.

    The base frequency is that of four periods; its multiples are 1, 2, 3, 4, 6, 8, 12 and 16. The inner loop runs over all
    frequencies. Cosines follow from the recurrence cos((k + 1) x) = 2 cos(x) cos(k x) - cos((k - 1) x), four lags per step.
    """
    cdef double p, q, r, s, t
    cdef double *twice
    cdef int lag, i
    for i in range(n):
        twice = &f.twice_cosine[i * FREQUENCIES]
        twice[0] = 2 * cos(pi / (2 * periods[i]))  # 1
        twice[1] = twice[0] * twice[0] - 2  # 2
        twice[2] = twice[0] * twice[1] - twice[0]  # 3
        twice[3] = twice[1] * twice[1] - 2  # 4
        twice[4] = twice[2] * twice[2] - 2  # 6
        twice[5] = twice[3] * twice[3] - 2  # 8
        twice[6] = twice[4] * twice[4] - 2  # 12
        twice[7] = twice[5] * twice[5] - 2  # 16
    n *= FREQUENCIES
    for i in range(n):
        f.coefficients[0][i] = f.coefficients[1][i] = f.coefficients[2][i] = 0
        f.cosine[i] = 1
        f.previous_cosine[i] = f.twice_cosine[i] / 2
    for lag in range(0, HANN_LAGS, 4):
        for i in range(n):
            t = f.twice_cosine[i]
            p = f.cosine[i]
            q = t * p - f.previous_cosine[i]
            r = t * q - p
            s = t * r - q
            f.coefficients[0][i] += (f.windowed[lag][0] * p + f.windowed[lag + 1][0] * q) + (
                f.windowed[lag + 2][0] * r + f.windowed[lag + 3][0] * s
            )
            f.coefficients[1][i] += (f.windowed[lag][1] * p + f.windowed[lag + 1][1] * q) + (
                f.windowed[lag + 2][1] * r + f.windowed[lag + 3][1] * s
            )
            f.coefficients[2][i] += (f.windowed[lag][2] * p + f.windowed[lag + 1][2] * q) + (
                f.windowed[lag + 2][2] * r + f.windowed[lag + 3][2] * s
            )
            f.cosine[i] = t * s - r
            f.previous_cosine[i] = s
