"""Which of the periods that music fits onto itself after is the beat.

An autocorrelation is large wherever there are many notes. What it has above chance is told in two measures: of
the onsets fitting onto themselves, which steady music comes near to, and of the highest lag, which is the same for rubato.
The peaks of the loud and the long together are the candidates. Each has a score, the sum of its features
times weights, and the shares of exp(score) are how likely each candidate is the beat, and none of them is: a conditional
logit (D. McFadden, 1974). accuracy/train_tempo.py has learnt the weights, one set for all kinds of music.
"""

from libc.math cimport exp, log2

from .periodicity cimport LAGS

cdef enum:
    SHORTEST = 10  # frames a beat: 300 BPM
    LONGEST = 104  # 29 BPM
    LAST = 150  # the highest lag is looked for up to here
    CANDIDATES = 12
    RATIOS = 9
    PRIORS = 6
    ONE = 1 << 20  # of the sum whose peaks are the candidates

# Parts and multiples of the period at which each autocorrelation is looked at.
cdef double[RATIOS] RATIO = [1, 1 / 2.0, 1 / 3.0, 1 / 4.0, 2, 3, 4, 3 / 2.0, 2 / 3.0]

# How likely none of the candidates is the beat.
cdef double NOTHING = 0.37

# The prior over tempo and density.
cdef double[PRIORS] PRIOR = [0.571, -1.452, 0.27, -0.269, -0.037, -1.649]

# Each autocorrelation at each ratio: what it has above chance, as a share of the highest lag.
cdef double[STRENGTHS][RATIOS] OF_HIGHEST = [
    [1.129, -0.602, 0.551, 1.549, 0.182, -0.907, -2.069, -0.41, -0.856],  # loud
    [0.735, -0.474, 0.12, 1.406, -0.766, -0.241, -0.349, 1.272, 0.25],  # low
    [0.705, 1.005, -0.321, -0.642, 1.21, 0.08, -0.012, -0.964, 0.253],  # long
]

# The same, as a share of what it is at lag 0.
cdef double[STRENGTHS][RATIOS] OF_OWN = [
    [3.006, -3.798, -7.429, -1.797, -5.111, 5.477, 2.135, 3.546, -4.07],  # loud
    [-1.481, 4.495, 2.673, -14.845, 12.284, -4.176, 8.887, -10.947, -7.931],  # low
    [4.841, 7.893, 8.5, 9.411, -1.379, 6.849, 7.244, 4.494, 9.193],  # long
]


cdef Beat choose_beat(const Echo *echo, double density, double drums) noexcept nogil:
    """The likeliest beat, the highest peak on a tie.

    `density` is log2 of the onset frames a frame, `drums` the share of drums among the notes.
    """
    cdef double[STRENGTHS][LAGS] excess
    cdef double[STRENGTHS] share  # of the excess at lag 0, one
    cdef double[STRENGTHS][RATIOS] weights
    cdef uint32_t[LAGS] both
    cdef int[CANDIDATES] peaks
    cdef double[CANDIDATES] scores
    cdef double[CANDIDATES] periods
    cdef double own, highest, total
    cdef Beat beat
    cdef int i, s, lag, n, best = 0
    for s in range(STRENGTHS):
        above_chance(echo, s, excess[s])
        own = excess[s][0]
        highest = 0
        for lag in range(SHORTEST, LAST + 1):
            highest = max(highest, excess[s][lag])
        share[s] = 1 / own if own > 0 else 0
        for i in range(RATIOS):
            weights[s][i] = OF_OWN[s][i] * share[s] + (OF_HIGHEST[s][i] / highest if highest > 0 else 0)
    for lag in range(LAGS):
        both[lag] = <uint32_t>max(ONE * (excess[0][lag] * share[0] + excess[2][lag] * share[2]), 0.0)
    n = find_peaks(both, peaks)
    beat.period = beat.confidence = 0
    if n == 0:
        return beat
    for i in range(n):
        periods[i] = refined(both, peaks[i])
        scores[i] = score(excess[0], weights[0], periods[i], density, drums)
        if scores[i] > scores[best]:
            best = i
    total = exp(NOTHING - scores[best])
    for i in range(n):
        total += exp(scores[i] - scores[best])
    beat.period = periods[best]
    beat.confidence = 1 / total
    return beat


cdef void above_chance(const Echo *echo, int strength, double *excess) noexcept nogil:
    cdef const uint32_t *sums = echo.sums[strength]
    cdef double chance = echo.chance[strength] / echo.frames
    cdef int frames = <int>echo.frames
    cdef int lag
    for lag in range(LAGS):
        excess[lag] = sums[lag] - chance * max(frames - lag, 0)


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
    """The period in fractions of a frame: parabolas through the peaks at 1, 2, 4 ... periods, while these
    are nearly as high: multiples of a wavering beat lie elsewhere."""
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
        if before <= here and here >= after and bend < 0 and 5 * here > 4 * <double>sums[peak]:
            period = (at + 0.5 * (before - after) / bend) / times
        elif times > 1:
            break
        times *= 2
        at = <int>(period * times + 0.5)
    return period


cdef double score(const double *excess, const double *weights, double period, double density, double drums) noexcept nogil:
    """The sum of the features of a candidate times their weights."""
    cdef double slow = log2(period / 25)  # octaves below 120 BPM
    cdef double events = density + log2(period)  # onset frames a beat, in octaves
    cdef double[PRIORS] prior = [slow, slow * slow, slow * slow * slow, events * events, drums * slow, drums * slow * slow]
    cdef double total = 0
    cdef int i, s
    for i in range(PRIORS):
        total += PRIOR[i] * prior[i]
    for i in range(RATIOS):
        for s in range(STRENGTHS):
            total += weights[s * RATIOS + i] * near(excess + s * LAGS, period * RATIO[i])
    return total


cdef double near(const double *excess, double lag) noexcept nogil:
    """The highest value within a fortieth of a lag, and within half a frame; 0 beyond the last."""
    cdef double reach = max(0.5, lag / 40)
    cdef int at = <int>(lag - reach + 0.5)
    cdef int last = <int>(lag + reach + 0.5)
    cdef double highest
    if last + 1 >= LAGS:
        return 0
    highest = excess[at]
    while at < last:
        at += 1
        highest = max(highest, excess[at])
    return highest
