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
        -1.06,
        -0.48, 0.39, 4.03,  # octaves below 120 BPM; onset frames a beat, in octaves; drums
        -2.15, 0.58, -1.45, 2.59, -2.14, 0.01, 0.73, -0.59, 0.52,  # loud, at MULTIPLES of the beat
        2.89, 0.06, 0.37, 0.5, -0.74, 0.89, -0.86, 0.55, -1.38,  # low
        1.2, 2.45, -0.29, 0.5, -0.51, -0.66, -1, 0.66, -0.28,  # long
        0.47,  # the pulse, in octaves above 0.24 s
        -0.61, -2.13, 2.79, 0.83, -0.62, -0.7, 0.76, -1.83,  # loud, at PULSES
        -0.29, 0.11, -0.45, -0.33, 0.42, -1.08, 0.09, -0.36,  # low
        0.29, -0.77, 1.19, -2.41, 2.39, -0.1, -1.06, 2.97,  # long
    ],
    [  # 3/4
        2.16,
        1.73, -1.23, 0.37,
        2.76, 0.68, 1.34, -0.44, 0.14, -1.26, -2.14, 1.66, -1.27,
        -0.83, 0.43, 0.44, -0.33, 0.49, -1.19, 0.9, -2.28, 1.79,
        -1.78, -2.59, 0.36, -0.72, -0.21, -2.26, 1.89, 1.54, 0.92,
        -0.3,
        2.75, -0.36, -3.08, 2.59, 1.12, -3.12, -0.51, 2.11,
        0.6, -0.19, 1.7, 0.16, -0.6, 1.46, -0.19, 2.33,
        -1.03, 1.37, -3.34, 3.42, -1.98, -2.73, 1.63, -1.61,
    ],
    [  # 6/8
        0.22,
        -1, 0.4, 0.19,
        0.24, -1.34, -0.35, -0.24, 1.63, 0.98, -1.65, 0.15, 0.22,
        1.71, -1.22, -0.81, -0.08, -0.42, 0.11, 0.18, 0.69, -0.27,
        -2.3, -2.66, -1.5, 1.58, 0.25, 1.25, -0.74, -1.98, -0.41,
        0.28,
        -0.29, 1.8, -0.4, -2.63, -0.02, 2.05, -0.47, 2.26,
        0.75, 0.19, -0.2, 0.73, -0.68, 0.04, -0.04, -2.3,
        -0.21, 0.32, 1.49, 0.7, -1.48, 1.78, 1.75, -0.84,
    ],
    [  # 2/4
        -1.32,
        -0.25, 0.45, -4.59,
        -0.85, 0.07, 0.45, -1.92, 0.37, 0.27, 3.07, -1.22, 0.53,
        -3.77, 0.73, 0, -0.09, 0.67, 0.19, -0.21, 1.04, -0.13,
        2.88, 2.8, 1.42, -1.36, 0.47, 1.67, -0.15, -0.22, -0.23,
        -0.45,
        -1.85, 0.69, 0.69, -0.78, -0.48, 1.78, 0.22, -2.53,
        -1.06, -0.12, -1.06, -0.57, 0.87, -0.42, 0.14, 0.33,
        0.95, -0.92, 0.65, -1.72, 1.07, 1.05, -2.32, -0.52,
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
