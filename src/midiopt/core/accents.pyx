"""The meter from accent periodicities: what the music fits onto itself after, in beats and in pulses.

A multinomial logit of the autocorrelations at MULTIPLES of the beat and at PULSES, whole numbers of the shortest
period. training/tempo.py has learnt the weights, which never see a declared meter.
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
        0.49,
        2.75, -0.3, 7.23,  # octaves below 120 BPM; onset frames a beat, in octaves; drums
        -6.37, -6.52, -6.43, 0.8, 2.68, -12.12, 6.15, -5.53, 2.72,  # loud, at MULTIPLES of the beat
        1.73, 0.19, 1.83, 0.56, 0.14, 0.61, -0.07, 1, -1.03,  # low
        9.94, 9.2, 3.75, 4.14, -4.5, 7.74, -6.42, 9.2, 0.38,  # long
        1.11,  # the pulse, in octaves above 0.24 s
        -9.77, 8.69, 5.55, 6.37, -2.93, -2.23, -0.42, 0.17,  # loud, at PULSES
        -0.02, -0.09, -0.4, -0.54, 0.23, -0.65, -0.21, -1.1,  # low
        1.85, -11.29, -0.83, -3.17, 4.65, -1.54, -2.99, 1.65,  # long
    ],
    [  # 3/4
        1.58,
        0.89, -0.63, 1.99,
        3.22, -2.29, 2.27, 12.3, -3.86, 5.48, -5.75, 4.58, -4.26,
        -1.33, 0.38, 2.22, 0.44, -1.19, 0.07, 2.57, -3.25, 4.96,
        -2.81, -3.7, -1.64, -9.11, 6.22, -10.81, 6.88, -4.4, 1.33,
        0.03,
        4.77, -2.52, -4.36, 2.83, 3.29, -8.75, 2.8, 0.46,
        0.06, 0.03, 0.25, 0.34, 0.2, 0.15, -1.72, 2.1,
        -3.89, 3.39, -4.42, 12.31, -2.06, -10.59, 6.09, 0.19,
    ],
    [  # 6/8
        -0.05,
        -6.08, 0.11, -5.76,
        1.54, 4.49, 0.86, -7.35, 1.65, 10.79, -1.69, -1.14, -2.81,
        1.43, -0.89, -3.01, -0.25, -0.56, 0.2, -1.59, 1.09, -1.45,
        -5.79, -4.68, -1.67, -7.82, -1.37, 8.27, -0.3, -5.37, -3.02,
        -0.34,
        20.98, -9.43, -3.79, -5.7, -3.19, 10.8, 0.47, 1.24,
        0.3, 0.89, 0.06, 1.23, -1.39, 0.63, 0.83, -1.7,
        -11.61, 14.42, 2.36, -7.2, -7.27, 13.03, 0.07, 0.05,
    ],
    [  # 2/4
        -2.02,
        2.44, 0.82, -3.47,
        1.62, 4.32, 3.3, -5.76, -0.47, -4.16, 1.29, 2.09, 4.35,
        -1.83, 0.32, -1.05, -0.75, 1.61, -0.88, -0.91, 1.16, -2.49,
        -1.34, -0.82, -0.43, 12.79, -0.36, -5.2, -0.15, 0.57, 1.3,
        -0.8,
        -15.98, 3.26, 2.6, -3.5, 2.83, 0.19, -2.85, -1.86,
        -0.33, -0.83, 0.08, -1.02, 0.96, -0.13, 1.1, 0.71,
        13.65, -6.52, 2.89, -1.93, 4.68, -0.9, -3.17, -1.89,
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
