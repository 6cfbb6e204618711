from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint16_t, uint32_t

cdef enum:
    LAGS = 208  # frames: 4.16 s, and 13 vectors of 16 bytes
    LANES = 4  # a vector of doubles: one per strength, and one unused
    HANN_LAGS = 104  # lags under the Hann window
    FREQUENCIES = 8  # Fourier coefficients per period
    MAX_PERIODS = 9
    SILENT_FRAME = 1 << 15  # follows all frames, and has no strength

cdef double[HANN_LAGS] HANN  # doubled, since negative lags count too; lag 0 once

cdef extern from *:
    """
    typedef unsigned char *restrict midiopt_restrict_uint8;
    typedef unsigned short *restrict midiopt_restrict_uint16;
    """
    # No other pointer leads there: no check for overlap is needed.
    ctypedef uint8_t *restrict_uint8 "midiopt_restrict_uint8"
    ctypedef uint16_t *restrict_uint16 "midiopt_restrict_uint16"

# All arrays are fields of one struct, so that the loops need no check for overlap. Three autocorrelations: loudness, bass, length.
cdef struct Fourier:
    double windowed[HANN_LAGS][LANES]  # input
    double coefficients[3][MAX_PERIODS * FREQUENCIES]  # by period, then by multiple of its frequency
    double cosine[MAX_PERIODS * FREQUENCIES]  # scratch memory
    double previous_cosine[MAX_PERIODS * FREQUENCIES]
    double twice_cosine[MAX_PERIODS * FREQUENCIES]


cdef void add_windows(
    const uint8_t *strengths, uint16_t *frames, size_t n, uint32_t weight, size_t max_frames, restrict_uint16 sums, restrict_uint8 bytes
) noexcept nogil
cdef void smooth_lags(const uint16_t *sums, uint32_t *smooth) noexcept nogil
cdef void fourier_at_multiples(Fourier *f, const double *periods, int n) noexcept nogil
