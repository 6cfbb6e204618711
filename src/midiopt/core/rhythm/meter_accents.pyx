"""The meter from accent periodicities: what the music fits onto itself after, in beats and in pulses.

A multinomial logit of the autocorrelations at MULTIPLES of the beat and at PULSES, whole numbers of the shortest
period. training/beat.py has learnt the weights, which never see a declared meter.
"""

from libc.math cimport exp, log2
from libc.stdint cimport int64_t

from midiopt.core.rhythm import meter_accents_weights
from midiopt.core.rhythm.beat cimport refined
from midiopt.core.rhythm.autocorrelation cimport LAGS

cdef enum:
    SHORTEST = 5  # frames a pulse
    LONGEST = 104

cdef double[MULTIPLE_COUNT] MULTIPLES = [1 / 3.0, 1 / 2.0, 2 / 3.0, 1, 3 / 2.0, 2, 3, 4, 6]
cdef double[PULSE_COUNT] PULSES = [2, 3, 4, 6, 8, 9, 12, 16]

cdef double[ACCENT_METERS][ACCENT_FEATURES] WEIGHTS
cdef int _m, _i
for _m in range(ACCENT_METERS):
    for _i in range(ACCENT_FEATURES):
        WEIGHTS[_m][_i] = meter_accents_weights.WEIGHTS[_m][_i]


cdef MeterEstimate estimate_meter(AccentScratch *a, const uint32_t *sums, double period, double density, double drums) noexcept nogil:
    """The likeliest meter, the first on a tie. `sums` are the smoothed autocorrelations, LAGS of each, `period` the beat
    in frames, `density` log2 of the onset frames a frame, `drums` their share among the notes."""
    cdef double *features = a.features
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
    for m in range(ACCENT_METERS):
        a.scores[m] = 0
        for i in range(ACCENT_FEATURES):
            a.scores[m] += WEIGHTS[m][i] * a.features[i]
    return likeliest(a.scores, ACCENT_METERS)


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
