"""Estimates the meter from autocorrelation values at multiples of the beat and of the shortest pulse.

A multinomial logit. training/beat.py fits the weights; declared time signatures are no input.
"""

from libc.math cimport exp, log2
from libc.stdint cimport int64_t

from midiopt.core.rhythm import meter_accents_weights
from midiopt.core.rhythm.beat cimport refine_peak

cdef enum:
    MIN_PULSE = 5  # frames
    MAX_PULSE = 104
    MIN_MEAN_LAG = 6  # shorter lags are left out of the mean: there every onset still matches itself

cdef double[BEAT_MULTIPLE_COUNT] BEAT_MULTIPLES = [1 / 3.0, 1 / 2.0, 2 / 3.0, 1, 3 / 2.0, 2, 3, 4, 6]  # of the beat
cdef double[PULSE_MULTIPLE_COUNT] PULSE_MULTIPLES = [2, 3, 4, 6, 8, 9, 12, 16]  # multiples of the shortest pulse

cdef double[ACCENT_METERS][ACCENT_FEATURES] WEIGHTS
cdef int _m, _i
for _m in range(ACCENT_METERS):
    for _i in range(ACCENT_FEATURES):
        WEIGHTS[_m][_i] = meter_accents_weights.WEIGHTS[_m][_i]


cdef MeterEstimate meter_from_accents(
    AccentScratch *a, const uint32_t (*values)[LAGS], double period, double density, double drums
) noexcept nogil:
    """The most probable meter, the first on a tie.

    `values` are the STRENGTHS smoothed autocorrelations, `period` the beat in frames, `density` log2 of the share of frames
    with onsets, `drums` the share of drums among the notes.
    """
    cdef double *features = a.features
    cdef double pulse = refine_peak(values[0], shortest_pulse(values[0]))
    cdef double[STRENGTHS] means
    cdef int i, m, s, n = 4
    features[0] = 1
    features[1] = log2(period / 25)
    features[2] = density + log2(period)
    features[3] = drums
    for s in range(STRENGTHS):
        means[s] = mean_value(values[s])
        for i in range(BEAT_MULTIPLE_COUNT):
            features[n] = relative_level(values[s], means[s], period * BEAT_MULTIPLES[i])
            n += 1
    features[n] = log2(pulse / 12)
    n += 1
    for s in range(STRENGTHS):
        for i in range(PULSE_MULTIPLE_COUNT):
            features[n] = relative_level(values[s], means[s], pulse * PULSE_MULTIPLES[i])
            n += 1
    for m in range(ACCENT_METERS):
        a.scores[m] = 0
        for i in range(ACCENT_FEATURES):
            a.scores[m] += WEIGHTS[m][i] * a.features[i]
    return softmax_argmax(a.scores, ACCENT_METERS)


cdef MeterEstimate softmax_argmax(const double *scores, int count) noexcept nogil:
    """The meter with the highest of `count` scores, the first on a tie; its confidence is the softmax."""
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


cdef int shortest_pulse(const uint32_t *values) noexcept nogil:
    """The shortest lag of a peak more than 3/10 as high as the highest; there is one, since there is a beat."""
    cdef uint32_t highest = 0
    cdef int lag
    for lag in range(MIN_PULSE, MAX_PULSE + 1):
        if values[lag - 1] <= values[lag] and values[lag] > values[lag + 1]:
            highest = max(highest, values[lag])
    for lag in range(MIN_PULSE, MAX_PULSE + 1):
        if values[lag - 1] <= values[lag] and values[lag] > values[lag + 1] and 10 * <int64_t>values[lag] > 3 * <int64_t>highest:
            return lag
    return MAX_PULSE


cdef double mean_value(const uint32_t *values) noexcept nogil:
    """The mean from MIN_MEAN_LAG on."""
    cdef uint32_t total = 0  # at most 208 * 2**20
    cdef int lag
    for lag in range(MIN_MEAN_LAG, LAGS):
        total += values[lag]
    return total / <double>(LAGS - MIN_MEAN_LAG)


cdef double relative_level(const uint32_t *values, double mean, double lag) noexcept nogil:
    """highest / (highest + mean) of the highest value near a lag: 0 to 1, and 1/2 at the mean."""
    cdef int at = <int>lag
    cdef uint32_t highest
    if at + 3 > LAGS or mean == 0:
        return 0
    highest = max(values[at], values[at + 1])
    if lag >= 60:
        highest = max(highest, max(values[at - 1], values[at + 2]))
    return highest / (highest + mean)
