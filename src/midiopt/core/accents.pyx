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
        -0.52,
        2.33, -0.31, 7.02,  # octaves below 120 BPM; onset frames a beat, in octaves; drums
        -7.61, -6.44, -8.25, 16.28, 2.92, -17.18, 8.85, -13.8, 1.36,  # loud, at MULTIPLES of the beat
        1.89, -0.16, 0.4, 0.62, -0.57, 0.98, -0.39, 0.62, -0.78,  # low
        10.54, 8.62, 6.15, 8.44, -4.01, -3.63, -5.46, 15.12, 1.53,  # long
        1.2,  # the pulse, in octaves above 0.24 s
        -9.42, 4.34, 7.08, 5.24, -3.84, -2.04, -1.73, 0.35,  # loud, at PULSES
        -0.08, 0.25, -0.72, 0.28, 0.19, -1.02, 0.35, -0.59,  # low
        -1.53, -8.24, -2.03, -5.82, 9.27, 0.74, -5.34, 3.55,  # long
    ],
    [  # 3/4
        5.11,
        1.32, -0.54, 3.03,
        10.32, 3.5, 1.41, -2.09, -2.79, 5.99, -10.12, 8.14, -2.57,
        0.44, 0.41, 1.37, 0.03, 0.04, 0.31, 0.87, -1.65, 1.8,
        -11.82, -6.31, -0.69, -9.31, 2.63, -2.1, 8.16, -6.45, 2.19,
        0.16,
        2.98, -3.01, -5.27, 2.78, 10.4, -11.6, 5.17, 3.2,
        0.09, -1.14, 0.92, 0.14, -0.8, 1.35, -1.44, 1.33,
        -1.2, 8.27, -4.57, 7.93, -8.51, -12.01, 8.65, -2.56,
    ],
    [  # 6/8
        -1.76,
        -3.15, 0.14, -5,
        -2.28, -1.51, 3.7, -16.07, 0.51, 13.8, -5.3, 5.12, 3.53,
        0.41, -0.6, -0.3, 0.41, 0.03, 0.68, -0.97, 1.04, -0.04,
        -0.17, -1.25, -4.95, -8.1, 1.82, 5.46, 2.64, -8.97, -7.73,
        -0.79,
        16.84, -2.19, -5.08, -4.64, -9.85, 10.16, 0.21, 0.82,
        -0.04, 1.03, -0.81, 0.49, -1.27, 0.28, 0.51, -1.76,
        -0.49, 5.18, 4.9, -1.01, -4.95, 13.02, -0.03, -1.85,
    ],
    [  # 2/4
        -2.82,
        -0.49, 0.72, -5.05,
        -0.44, 4.45, 3.14, 1.88, -0.63, -2.6, 6.56, 0.54, -2.32,
        -2.74, 0.35, -1.48, -1.07, 0.5, -1.97, 0.49, -0.01, -0.98,
        1.45, -1.06, -0.5, 8.97, -0.44, 0.27, -5.34, 0.31, 4,
        -0.58,
        -10.4, 0.87, 3.26, -3.38, 3.3, 3.48, -3.65, -4.37,
        0.03, -0.14, 0.61, -0.91, 1.88, -0.62, 0.58, 1.02,
        3.23, -5.21, 1.7, -1.11, 4.19, -1.76, -3.28, 0.85,
    ],
]


cdef MeterEstimate estimate_meter(const uint32_t *sums, double period, double density, double drums) noexcept nogil:
    """The likeliest meter, the first on a tie. `sums` are the smoothed autocorrelations, LAGS of each, `period` the beat
    in frames, `density` log2 of the onset frames a frame, `drums` their share among the notes."""
    cdef double[FEATURES] features
    cdef double[METERS] scores
    cdef double pulse = refined(sums, shortest_pulse(sums))
    cdef double mean, total = 0
    cdef MeterEstimate estimate
    cdef int i, m, s, n = 4
    features[0] = 1
    features[1] = log2(period / 25)
    features[2] = density + log2(period)
    features[3] = drums
    for s in range(STRENGTHS):
        mean = mean_level(sums + s * LAGS)
        for i in range(MULTIPLE_COUNT):
            features[n] = level(sums + s * LAGS, mean, period * MULTIPLES[i])
            n += 1
    features[n] = log2(pulse / 12)
    n += 1
    for s in range(STRENGTHS):
        mean = mean_level(sums + s * LAGS)
        for i in range(PULSE_COUNT):
            features[n] = level(sums + s * LAGS, mean, pulse * PULSES[i])
            n += 1
    estimate.meter = 0
    for m in range(METERS):
        scores[m] = 0
        for i in range(FEATURES):
            scores[m] += WEIGHTS[m][i] * features[i]
        if scores[m] > scores[estimate.meter]:
            estimate.meter = m
    for m in range(METERS):
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
