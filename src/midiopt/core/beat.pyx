"""Which of the periods that music fits onto itself after is the beat.

The peaks of the first autocorrelation are the candidates. Each has a score, the sum of its features times
WEIGHTS, and the shares of exp(score) are how likely each candidate is the beat: a conditional logit
(D. McFadden, 1974). accuracy/train_tempo.py has learnt the weights, one set for all kinds of music.
"""

from libc.math cimport exp, log2

from .periodicity cimport LAGS

cdef enum:
    SHORTEST = 10  # frames a beat: 300 BPM
    LONGEST = 104  # 29 BPM
    CANDIDATES = 12
    RATIOS = 9
    FEATURES = 8 + STRENGTHS * RATIOS

# Parts and multiples of the period at which each autocorrelation is looked at.
cdef double[RATIOS] RATIO = [1, 1 / 2.0, 1 / 3.0, 1 / 4.0, 2, 3, 4, 3 / 2.0, 2 / 3.0]

# The prior over tempo and density, then each autocorrelation at each ratio.
cdef double[FEATURES] WEIGHTS = [
    0.07, -1.612, 0.161, 0.07, -0.11, 0.141, -1.766, 0.141,
    6.851, 0.483, -0.744, 4.257, -1.796, 1.75, -3.322, -1.362, -0.916,  # loud
    2.051, 1.119, 0.722, -0.372, 1.891, -1.172, 2.67, 0.297, -0.179,  # low
    8.963, 3.051, 1.064, -0.476, 1.679, 0.115, 0.922, -0.201, 0.154,  # long
]


cdef Beat choose_beat(const uint32_t *sums, double density, double drums) noexcept nogil:
    """The likeliest beat, the highest peak on a tie.

    `sums` are the smoothed autocorrelations, LAGS of each, `density` is log2 of the onset frames a frame, `drums` the
    share of drums among the notes.
    """
    cdef int[CANDIDATES] peaks
    cdef double[STRENGTHS] means
    cdef double[CANDIDATES] scores
    cdef double[CANDIDATES] periods
    cdef Beat beat
    cdef int n = find_peaks(sums, peaks)
    cdef int i, s, best = 0
    cdef double total = 0
    beat.period = beat.confidence = 0
    if n == 0:
        return beat
    for s in range(STRENGTHS):
        means[s] = mean_level(sums + s * LAGS)
    for i in range(n):
        periods[i] = refined(sums, peaks[i])
        scores[i] = score(sums, means, periods[i], density, drums)
        if scores[i] > scores[best]:
            best = i
    for i in range(n):
        total += exp(scores[i] - scores[best])
    beat.period = periods[best]
    beat.confidence = 1 / total
    return beat


cdef double mean_level(const uint32_t *sums) noexcept nogil:
    """Without the shortest lags, at which every onset still fits onto itself."""
    cdef uint32_t total = 0  # at most 208 times 2**20
    cdef int lag
    for lag in range(6, LAGS):
        total += sums[lag]
    return total / <double>(LAGS - 6)


cdef int find_peaks(const uint32_t *sums, int *peaks) noexcept nogil:
    """The lags of the highest peaks, the highest first, the shorter lag first among equals."""
    cdef int lag, i, n = 0
    for lag in range(SHORTEST, LONGEST + 1):
        if sums[lag] < sums[lag - 1] or sums[lag] <= sums[lag + 1]:
            continue
        i = n
        if n < CANDIDATES:
            n += 1
        elif sums[lag] > sums[peaks[n - 1]]:
            i = n - 1
        else:
            continue
        while i and sums[peaks[i - 1]] < sums[lag]:
            peaks[i] = peaks[i - 1]
            i -= 1
        peaks[i] = lag
    return n


cdef double refined(const uint32_t *sums, int peak) noexcept nogil:
    """The period in fractions of a frame: parabolas through the peaks at 1, 2, 4 ... periods."""
    cdef double period = peak
    cdef int at = peak, times = 1, highest
    cdef double before, here, after, bend
    while at + 3 < LAGS:
        if times > 1:
            highest = at - 1
            if sums[at] > sums[highest]:
                highest = at
            if sums[at + 1] > sums[highest]:
                highest = at + 1
            at = highest
        before = sums[at - 1]
        here = sums[at]
        after = sums[at + 1]
        bend = before - 2 * here + after
        if before <= here and here >= after and 2 * here > sums[peak] and bend < 0:
            period = (at + 0.5 * (before - after) / bend) / times
        times *= 2
        at = <int>(period * times + 0.5)
    return period


cdef double score(const uint32_t *sums, const double *means, double period, double density, double drums) noexcept nogil:
    """The sum of the features of a candidate times WEIGHTS."""
    cdef double slow = log2(period / 25)  # octaves below 120 BPM
    cdef double events = density + log2(period)  # onset frames a beat, in octaves
    cdef double[8] prior = [slow, slow * slow, slow * slow * slow, events, events * events, drums * slow, drums * slow * slow, drums * events]
    cdef double total = 0
    cdef int i, s
    for i in range(8):
        total += WEIGHTS[i] * prior[i]
    for s in range(STRENGTHS):
        for i in range(RATIOS):
            total += WEIGHTS[8 + s * RATIOS + i] * level(sums + s * LAGS, means[s], period * RATIO[i])
    return total
