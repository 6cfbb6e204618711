"""The meter from accent periodicities: what the music fits onto itself after, in beats and in pulses.

A multinomial logit of the autocorrelations at MULTIPLES of the beat and at PULSES, whole numbers of the shortest
period. accuracy/train_tempo.py has learnt the weights, which never see a declared meter.
"""

from libc.math cimport exp, log2
from libc.stdint cimport int64_t

from .beat cimport STRENGTHS, level, mean_level, refined
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
        0.8,
        2.97, -0.37, 8.23,  # octaves below 120 BPM; onset frames a beat, in octaves; drums
        -8.19, -10.58, -6.79, -0.19, 5.16, -7.39, 7.37, -12.02, 3.66,  # loud, at MULTIPLES of the beat
        1.69, 0.15, 1.89, 0.55, 0.1, 0.56, -0.22, 1.05, -1.16,  # low
        12.09, 13.13, 3.92, 4.35, -6.73, 4.09, -6.93, 15.21, -0.34,  # long
        1.11,  # the pulse, in octaves above 0.24 s
        -6.48, 7.5, 5.62, 9.48, -5.83, -3.26, -0.13, 0.7,  # loud, at PULSES
        0.01, -0.04, -0.37, -0.38, 0.23, -0.72, -0.07, -1.18,  # low
        -2.33, -10.06, -0.89, -5.31, 8.1, -1.66, -4.07, 1.24,  # long
    ],
    [  # 3/4
        2.44,
        0.75, -0.56, 3.19,
        3.65, -0.89, 1.69, 5.12, -4.8, 3.76, -6.8, 9.35, -4.74,
        -1.45, 0.46, 2.34, 0.42, -1.18, 0.1, 2.94, -3.41, 5.31,
        -3.58, -5.22, -0.97, -5.45, 7.17, -7.6, 7, -8.47, 1.66,
        0.15,
        2.99, -2.49, -4.76, 2.68, 5.38, -11.75, 4.06, -0.21,
        0.03, -0.03, 0.3, -0.04, 0.25, 0.35, -2.1, 2.22,
        -0.94, 4.47, -5.51, 14.93, -4.39, -11.39, 7.09, 0.52,
    ],
    [  # 6/8
        -0.16,
        -6.32, -0.01, -5.54,
        3, 6.83, 1.13, -4.22, 0.43, 7.21, -1.97, 0.47, -3.4,
        1.51, -0.89, -2.77, -0.26, -0.54, 0.22, -1.69, 1.17, -1.45,
        -7.59, -7.27, -1.67, -6.25, 0.02, 8.25, 0.16, -7.42, -2.84,
        -0.27,
        11.24, -7.65, -1.5, -6.94, -1.55, 14.89, -0.82, 1.34,
        0.28, 0.92, 0.04, 1.38, -1.45, 0.55, 0.87, -1.73,
        -2.69, 10.76, 2.2, -9.09, -10.77, 14.93, 0.83, 0.2,
    ],
    [  # 2/4
        -3.08,
        2.61, 0.94, -5.88,
        1.54, 4.64, 3.97, -0.71, -0.79, -3.59, 1.41, 2.21, 4.48,
        -1.75, 0.28, -1.46, -0.72, 1.62, -0.88, -1.03, 1.19, -2.71,
        -0.93, -0.64, -1.29, 7.35, -0.47, -4.74, -0.23, 0.68, 1.52,
        -0.99,
        -7.74, 2.64, 0.63, -5.22, 1.99, 0.11, -3.11, -1.83,
        -0.32, -0.84, 0.04, -0.96, 0.97, -0.18, 1.3, 0.69,
        5.96, -5.17, 4.2, -0.52, 7.06, -1.88, -3.85, -1.96,
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
