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
        -0.56, 0.29, 3.84,  # octaves below 120 BPM; onset frames a beat, in octaves; drums
        -1.1, 1.16, -1.16, 2.03, -1.7, -0.1, 1.04, -2.25, 1.27,  # loud, at MULTIPLES of the beat
        2.98, -0.07, 0.45, 0.01, -0.72, 0.53, -1.95, 0.93, -0.06,  # low
        0.42, 2.16, 0.52, -0.26, -1.14, 1.17, -0.54, 0.74, -1.55,  # long
        0.62,  # the pulse, in octaves above 0.24 s
        -0.49, -2.66, 2.94, 0.97, -0.42, -0.72, 0.77, -1.21,  # loud, at PULSES
        -0.05, 0.4, -0.06, -0.07, 0.53, -1.31, -0.23, -0.66,  # low
        0.35, -0.66, 1.13, -2.12, 2.81, -0.54, -1.07, 3.2,  # long
    ],
    [  # 3/4
        1.85,
        0.68, -1.23, 0.05,
        0.94, 2.17, 0.27, -0.91, 0.25, 0.32, -1.39, 1.59, -2.36,
        -0.2, 0.38, 0.97, -0.57, 0.59, -1.8, 1.42, -1.99, 1.83,
        -0.59, -2.6, 0.16, 0.46, -0.6, -1.78, 2.29, -1.16, -0.19,
        -0.25,
        1.47, 0.57, -2.54, 1.65, 0.99, -3.33, -0.22, 2.82,
        0.45, -0.67, 1.33, 0.43, -0.17, 1.6, 0.18, 2,
        -1.22, 2.1, -2.82, 2.7, -2.18, -2.03, 1.24, -1.03,
    ],
    [  # 6/8
        0.45,
        0.14, 0.16, 0.25,
        1.21, -3.83, -0.05, -0.71, 1.41, 0.34, 0.31, 1.11, 0.17,
        0.44, 0.15, 0.1, -0.06, 0.6, 0.1, -0.08, -0.03, -0.9,
        -1.3, -1.78, -1.88, -0.08, 1.78, -0.53, 0.74, -0.8, 0.75,
        0.24,
        0.74, 1.56, -0.35, -2.72, -0.96, 2.33, -1.21, 1.92,
        -0.31, -0.24, -0.38, 0.72, -0.67, 0.16, 0.55, -1.86,
        0.3, 0.2, 1.34, 0.19, -2.19, 1.67, 1.45, -1.06,
    ],
    [  # 2/4
        -0.53,
        -0.26, 0.78, -4.13,
        -1.05, 0.51, 0.94, -0.41, 0.04, -0.56, 0.04, -0.45, 0.91,
        -3.21, -0.47, -1.52, 0.62, -0.47, 1.17, 0.61, 1.08, -0.88,
        1.47, 2.22, 1.19, -0.12, -0.04, 1.15, -2.49, 1.22, 0.98,
        -0.61,
        -1.72, 0.53, -0.05, 0.09, 0.39, 1.72, 0.65, -3.53,
        -0.09, 0.52, -0.88, -1.08, 0.31, -0.46, -0.5, 0.53,
        0.56, -1.63, 0.36, -0.77, 1.56, 0.91, -1.62, -1.11,
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
