"""Which of the periods that music fits onto itself after is the beat.

An autocorrelation is large wherever there are many notes. What it has above chance is told in two ways: averaged over a
twenty-fifth of the lag to both sides, which rubato wavers by, as a share of the highest; and as it is, as a share of
lag 0, which steady music comes near to. The peaks of the loud and the long together, averaged, are the candidates. Each has a score, the sum of its features
times weights, and the shares of exp(score) are how likely each candidate is the beat, and none of them is: a conditional
logit (D. McFadden, 1974). accuracy/train_tempo.py has learnt the weights, one set for all kinds of music.
"""

from libc.math cimport exp, log2

from .periodicity cimport LAGS

cdef enum:
    SHORTEST = 10  # frames a beat: 300 BPM
    LONGEST = 104  # 29 BPM
    LAST = 150  # the highest lag is looked for up to here
    END = 199  # the last lag that can be averaged, and one
    CANDIDATES = 9
    RATIOS = 9
    OWN_RATIOS = 5
    PRIORS = 6
    ONE = 1 << 20  # of the sum whose peaks are the candidates

cdef double LOG2_25 = 4.643856189774724

# Parts and multiples of the period at which each autocorrelation is looked at.
cdef double[RATIOS] RATIO = [1, 1 / 2.0, 1 / 3.0, 1 / 4.0, 2, 3, 4, 3 / 2.0, 2 / 3.0]
cdef double[OWN_RATIOS] OWN_RATIO = [1, 1 / 2.0, 2, 3, 1 / 3.0]

# How likely none of the candidates is the beat.
cdef double NOTHING = 1.653

# The prior over tempo and density.
cdef double[PRIORS] PRIOR = [0.373, -1.377, 0.209, -0.203, 0.315, -1.529]

# Each autocorrelation, averaged, at each RATIO: what it has above chance, as a share of the highest lag.
cdef double[STRENGTHS][RATIOS] OF_HIGHEST = [
    [0.852, -0.719, 0.519, 1.296, 0.797, -2.895, -2.687, -0.495, -0.51],  # loud
    [0.443, 0.406, 0.328, 0.026, -0.039, 0.218, 0.235, 0.241, -0.509],  # low
    [1.059, 0.649, -0.242, -0.273, 0.666, 0.473, 1.651, -0.33, 0.164],  # long
]

# Each at each OWN_RATIO, as a share of what it is at lag 0.
cdef double[STRENGTHS][OWN_RATIOS] OF_OWN = [
    [4.854, 0.304, -7.83, 8.698, -7.996],  # loud
    [0.835, -2.98, 8.811, -7.925, -0.835],  # low
    [5.643, 7.573, 2.427, 2.047, 8.664],  # long
]


cdef Beat choose_beat(const Echo *echo, double density, double drums) noexcept nogil:
    """The likeliest beat, the highest peak on a tie.

    `density` is log2 of the onset frames a frame, `drums` the share of drums among the notes.
    """
    cdef double[STRENGTHS][LAGS] excess
    cdef double[STRENGTHS][LAGS] wide
    cdef double[STRENGTHS] of_own  # one, as a share of the excess at lag 0
    cdef double[STRENGTHS] of_highest  # one, as a share of the highest
    cdef uint32_t[LAGS] both
    cdef int[CANDIDATES] peaks
    cdef double[CANDIDATES] scores
    cdef double[CANDIDATES] periods
    cdef double highest, total
    cdef Beat beat
    cdef int i, s, lag, n, best = 0
    for s in range(STRENGTHS):
        above_chance(echo, s, excess[s], wide[s])
        highest = 0
        for lag in range(SHORTEST, LAST + 1):
            highest = max(highest, wide[s][lag])
        of_own[s] = 1 / excess[s][0] if excess[s][0] > 0 else 0
        of_highest[s] = 1 / highest if highest > 0 else 0
    for lag in range(LAGS):
        both[lag] = <uint32_t>max(ONE * (wide[0][lag] * of_own[0] + wide[2][lag] * of_own[2]), 0.0)
    n = find_peaks(both, peaks)
    beat.period = beat.confidence = 0
    if n == 0:
        return beat
    for i in range(n):
        periods[i] = refined(both, peaks[i])
        scores[i] = prior(periods[i], density, drums)
        for s in range(STRENGTHS):
            scores[i] += of_highest[s] * weighed(wide[s], OF_HIGHEST[s], RATIO, RATIOS, periods[i], 0.01)
            scores[i] += of_own[s] * weighed(excess[s], OF_OWN[s], OWN_RATIO, OWN_RATIOS, periods[i], 0.025)
        if scores[i] > scores[best]:
            best = i
    total = exp(NOTHING - scores[best])
    for i in range(n):
        total += exp(scores[i] - scores[best])
    beat.period = periods[best]
    beat.confidence = 1 / total
    return beat


cdef void above_chance(const Echo *echo, int strength, double *excess, double *wide) noexcept nogil:
    """What an autocorrelation has above chance, and that averaged over a twenty-fifth of the lag to both sides, 0 from END on."""
    cdef const uint32_t *sums = echo.sums[strength]
    cdef double chance = echo.chance[strength] / echo.frames
    cdef int frames = <int>echo.frames
    cdef int[LAGS + 1] before
    cdef double part
    cdef int lag, reach
    before[0] = 0
    for lag in range(LAGS):
        before[lag + 1] = before[lag] + <int>sums[lag]
    for lag in range(LAGS):
        wide[lag] = -(chance * max(frames - lag, 0))
        excess[lag] = <int>sums[lag] + wide[lag]
    for reach in range(END // 25 + 2):  # the nearest whole number to a twenty-fifth
        part = 1.0 / (2 * reach + 1)
        for lag in range(max(25 * reach - 12, 0), min(25 * reach + 13, <int>END)):
            wide[lag] += part * (before[lag + reach + 1] - before[lag - reach])
    for lag in range(END, LAGS):
        wide[lag] = 0


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


cdef double prior(double period, double density, double drums) noexcept nogil:
    cdef double slow = log2(period / 25)  # octaves below 120 BPM
    cdef double events = density + slow + LOG2_25  # onset frames a beat, in octaves
    cdef double[PRIORS] features = [slow, slow * slow, slow * slow * slow, events * events, drums * slow, drums * slow * slow]
    cdef double total = 0
    cdef int i
    for i in range(PRIORS):
        total += PRIOR[i] * features[i]
    return total


cdef double weighed(const double *curve, const double *weights, const double *ratios, int n, double period, double share) noexcept nogil:
    """The sum over the ratios of the highest value within a share of the lag and within half a frame, times its weight."""
    cdef double total = 0
    cdef double lag, reach, highest
    cdef int i, at, last
    for i in range(n):
        lag = period * ratios[i]
        reach = max(0.5, lag * share)
        at = <int>(lag - reach + 0.5)
        last = <int>(lag + reach + 0.5)
        if last >= END:
            continue
        highest = curve[at]
        while at < last:
            at += 1
            highest = max(highest, curve[at])
        total += weights[i] * highest
    return total
