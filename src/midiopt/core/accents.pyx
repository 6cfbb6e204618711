"""The meter from accent periodicities: what the music fits onto itself after, in beats and in pulses.

A multinomial logit of the autocorrelations at MULTIPLES of the beat and at PULSES, whole numbers of the shortest
period. accuracy/train_tempo.py has learnt the weights, which never see a declared meter.
"""

from libc.math cimport exp, log2
from libc.stdint cimport int64_t

from .beat cimport STRENGTHS, refined
from .periodicity cimport LAGS

cdef enum:
    METERS = 4
    SHORTEST = 5  # frames a pulse
    LONGEST = 104
    MULTIPLE_COUNT = 9
    PULSE_COUNT = 8
    FEATURES = 5 + STRENGTHS * (MULTIPLE_COUNT + PULSE_COUNT)

cdef double[MULTIPLE_COUNT] MULTIPLES = [1 / 3.0, 1 / 2.0, 2 / 3.0, 1, 3 / 2.0, 2, 3, 4, 6]
cdef double[PULSE_COUNT] PULSES = [2, 3, 4, 6, 8, 9, 12, 16]

# In the order of schema.METERS, 1 first.
cdef double[METERS][FEATURES] WEIGHTS = [
    [  # 4/4
        -1.77,
        -0.42, 0.3, 3.85,  # octaves below 120 BPM; onset frames a beat, in octaves; drums
        -0.66, 1.37, -1.64, 2.27, -1.29, -0.65, 0.71, -1.56, 1.17,  # loud, at MULTIPLES of the beat
        3.01, 0.1, 0.66, 0.03, -0.98, 0.56, -1.7, 0.66, -0.27,  # low
        0.74, 1.66, -0.18, 0.43, -1.07, 0.31, -0.25, 0.61, -1.46,  # long
        0.62,  # the pulse, in octaves above 0.24 s
        -0.44, -2.36, 3.24, 0.67, -0.65, -0.72, 0.76, -1.43,  # loud, at PULSES
        -0.26, 0.25, -0.17, 0.14, 0.76, -1.18, -0.03, -0.38,  # low
        0.63, -0.71, 1.06, -2.23, 2.6, -0.56, -1.34, 3.33,  # long
    ],
    [  # 3/4
        1.68,
        0.84, -1.34, -0.03,
        -0.24, 1.5, 0.85, -0.79, 0.33, 0.05, -1.45, 0.37, -1.77,
        -0.52, 0.03, 1.28, -0.88, 0.16, -1.27, 1.76, -2.03, 1,
        0.16, -1.77, 0.8, -0.02, 0.19, -1.03, 1.29, -0.72, 0.81,
        -0.26,
        1.32, 0.4, -2.64, 2.08, 1.36, -3.29, -0.33, 3.1,
        0.8, -0.67, 1.28, 0.71, -0.52, 1.37, 0.16, 2.02,
        -1.41, 2.39, -2.93, 2.88, -2.16, -2.18, 1.25, -1.22,
    ],
    [  # 6/8
        0.2,
        0, 0.24, 0.26,
        1.34, -4.01, -0.1, -0.92, 1.89, 0.62, -0, 0.87, -0.32,
        0.69, -0.47, -0.13, 0.29, 1.16, 0.34, -0.27, 0.37, -0.12,
        -1.38, -2.24, -1.85, -0.18, 1.57, -0.11, 0.93, -1.27, 0.12,
        0.16,
        0.44, 0.97, -0.45, -2.2, -0.46, 2.17, -1.08, 2.15,
        -0.01, 0.09, -0.07, -0.2, -0.85, -0.09, 0.13, -2.3,
        0.26, -0.06, 1.17, 0.78, -1.64, 1.87, 1.63, -0.79,
    ],
    [  # 2/4
        -0.11,
        -0.43, 0.8, -4.09,
        -0.44, 1.14, 0.89, -0.55, -0.92, -0.02, 0.75, 0.32, 0.92,
        -3.19, 0.34, -1.82, 0.56, -0.34, 0.37, 0.21, 0.99, -0.61,
        0.48, 2.35, 1.23, -0.22, -0.69, 0.83, -1.97, 1.38, 0.53,
        -0.52,
        -1.32, 0.99, -0.16, -0.56, -0.25, 1.84, 0.65, -3.82,
        -0.53, 0.33, -1.04, -0.65, 0.61, -0.1, -0.26, 0.66,
        0.52, -1.62, 0.7, -1.43, 1.21, 0.87, -1.53, -1.32,
    ],
]


cdef MeterEstimate estimate_meter(const uint32_t *sums, double period, double density, double drums) noexcept nogil:
    """The likeliest meter, the first on a tie. `sums` are the smoothed autocorrelations, LAGS of each, `period` the beat
    in frames, `density` log2 of the onset frames a frame, `drums` their share among the notes."""
    cdef double[FEATURES] features
    cdef double[METERS] scores
    cdef double pulse = refined(sums, shortest_pulse(sums))
    cdef double[STRENGTHS] means
    cdef int i, m, s, n = 4
    features[0] = 1
    features[1] = log2(period / 25)
    features[2] = density + log2(period)
    features[3] = drums
    for s in range(STRENGTHS):
        means[s] = mean_level(sums + s * LAGS)
        for i in range(MULTIPLE_COUNT):
            features[n] = level(sums + s * LAGS, means[s], period * MULTIPLES[i])
            n += 1
    features[n] = log2(pulse / 12)
    n += 1
    for s in range(STRENGTHS):
        for i in range(PULSE_COUNT):
            features[n] = level(sums + s * LAGS, means[s], pulse * PULSES[i])
            n += 1
    for m in range(METERS):
        scores[m] = 0
        for i in range(FEATURES):
            scores[m] += WEIGHTS[m][i] * features[i]
    return likeliest(scores, METERS)


cdef MeterEstimate likeliest(const double *scores, int count) noexcept nogil:
    """The meter with the highest of `count` scores, the first on a tie, and its share of the sum of their exponentials."""
    cdef MeterEstimate estimate
    cdef double total = 0
    cdef int m
    estimate.meter = 0
    for m in range(count):
        if scores[m] > scores[estimate.meter]:
            estimate.meter = m
    for m in range(count):
        total += exp(scores[m] - scores[estimate.meter])
    estimate.confidence = 1 / total
    return estimate


cdef int shortest_pulse(const uint32_t *sums) noexcept nogil:
    """The shortest lag of a peak three tenths as high as the highest; there is one, since there is a beat."""
    cdef uint32_t highest = 0
    cdef int lag
    for lag in range(SHORTEST, LONGEST + 1):
        if sums[lag - 1] <= sums[lag] and sums[lag] > sums[lag + 1]:
            highest = max(highest, sums[lag])
    for lag in range(SHORTEST, LONGEST + 1):
        if sums[lag - 1] <= sums[lag] and sums[lag] > sums[lag + 1] and 10 * <int64_t>sums[lag] > 3 * <int64_t>highest:
            return lag
    return LONGEST


cdef double mean_level(const uint32_t *sums) noexcept nogil:
    """Without the shortest lags, at which every onset still fits onto itself."""
    cdef uint32_t total = 0  # at most 208 times 2**20
    cdef int lag
    for lag in range(6, LAGS):
        total += sums[lag]
    return total / <double>(LAGS - 6)


cdef double level(const uint32_t *sums, double mean, double lag) noexcept nogil:
    """0 to 1, half at the mean: the highest value near a lag, over itself and the mean."""
    cdef int at = <int>lag
    cdef uint32_t highest
    if at + 3 > LAGS or mean == 0:
        return 0
    highest = max(sums[at], sums[at + 1])
    if lag >= 60:
        highest = max(highest, max(sums[at - 1], sums[at + 2]))
    return highest / (highest + mean)
