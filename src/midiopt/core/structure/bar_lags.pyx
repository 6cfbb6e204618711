"""With which lag each bar copies an earlier one.

The bars are described at the least cost, from the first to the last (a minimum description length; J. Rissanen, 1978): a bar is
new, or a copy of the bar `lag` bars before, which costs more the less they are alike; to go on with another lag costs more, least
between groups of eight bars.
"""

from libc.string cimport memset

from midiopt.core.bits cimport popcount

cdef enum:
    MIN_LAG = 4  # bars
    LAG_STEP = 2  # repetitions after an odd number of bars are rare
    MIN_STEP = 3  # bars: one in so many is looked at to choose lags, which finds the form as often as all do
    MAX_SAMPLE = 32  # bars that are looked at, about
    SAMPLE_BLOCK = 4  # of them, at a time
    # Costs. Chosen on folk tunes whose repeats are written, see docs/accuracy-methods.md.
    NEW = 256
    UNLIKE = 768  # of a copy, by the share of unlike notes: cheaper than a new bar where two thirds are alike
    COPY = 384  # of going on with a lag
    OFF_FOUR = 1024  # of a change that is not between fours of bars
    OFF_EIGHT = 256  # of one that is, but not between eights
    UNUSUAL = 512  # of eights that begin elsewhere than with the first bar, after an upbeat with the second
    IMPOSSIBLE = 1 << 24  # of a copy of a bar before the first

cdef int32_t[8][EIGHTHS] OF_CHANGE  # cost of another lag from a bar on, by its number modulo 8 and that of the first bar of the eights
cdef int _i, _eighth
for _i in range(8):
    for _eighth in range(EIGHTHS):
        OF_CHANGE[_i][_eighth] = 0 if _i == _eighth else OFF_EIGHT if (_i + 4) % 8 == _eighth else OFF_FOUR


cdef void find_lags(BarLags *b, int n) noexcept nogil:
    """Set the lags of `n` bars, of which the bits and the sizes are set."""
    choose_lags(b, n)
    if b.lag_count > 1:
        fill_costs(b, n)
        describe(b, n)
    else:
        memset(b.lag, 0, n * sizeof(int))


cdef void choose_lags(BarLags *b, int n) noexcept nogil:
    """Set the lags at which the most bars are cheaper as copies, in ascending order; the shorter ones on a tie."""
    cdef int lag, i, place, kept = 1, step = max(n // MAX_SAMPLE, <int>MIN_STEP)
    cdef int64_t count
    sample_bars(b, n, step)
    b.lags[0] = 0
    lag = MIN_LAG
    while lag < n:
        count = count_alike(b, n, lag, step)
        if count and (kept < ROWS or count > b.alike[kept - 1]):
            i = kept = min(kept + 1, <int>ROWS)
            i -= 1
            while i > 1 and b.alike[i - 1] < count:
                b.alike[i] = b.alike[i - 1]
                b.lags[i] = b.lags[i - 1]
                i -= 1
            b.alike[i] = count
            b.lags[i] = lag
        lag += LAG_STEP
    b.lag_count = kept
    for i in range(2, kept):  # by insertion
        lag = b.lags[i]
        place = i
        while place > 1 and b.lags[place - 1] > lag:
            b.lags[place] = b.lags[place - 1]
            place -= 1
        b.lags[place] = lag


cdef void sample_bars(BarLags *b, int n, int step) noexcept nogil:
    """Set the bars of the samples in the order in which count_alike reads them: side by side, it does so in vectors where these count bits,
    and takes a third of the time."""
    cdef int room = n // step + 1 + SAMPLE_BLOCK, first, i, at
    for first in range(step):
        at = first * room
        i = first
        while i < n:
            b.sampled[0][at] = b.bits[0][i]
            b.sampled[1][at] = b.bits[1][i]
            b.sampled_sizes[at] = b.sizes[i]
            at += 1
            i += step
        for i in range(at, (first + 1) * room):  # like no other
            b.sampled[0][i] = b.sampled[1][i] = 0
            b.sampled_sizes[i] = 1


cdef int64_t count_alike(const BarLags *b, int n, int lag, int step) noexcept nogil:
    """How many bars of a sample cost less as copies than as new bars: more than two thirds of the notes of both are alike."""
    cdef int at = lag % step * (n // step + 1 + SAMPLE_BLOCK) + lag // step
    cdef const uint64_t *low = b.sampled[0]
    cdef const uint64_t *high = b.sampled[1]
    cdef const int64_t *sizes = &b.sampled_sizes[0]
    cdef const uint64_t *later_low = low + at
    cdef const uint64_t *later_high = high + at
    cdef const int64_t *later_sizes = sizes + at
    cdef int64_t count = 0
    cdef size_t compared = (n - lag + step - 1) // step + SAMPLE_BLOCK - 1 & ~<size_t>(SAMPLE_BLOCK - 1), i  # in whole vectors
    for i in range(compared):
        count += 2 * (sizes[i] + later_sizes[i]) < 5 * both_have(low[i] & later_low[i], high[i] & later_high[i])
    return count


cdef inline int64_t both_have(uint64_t low, uint64_t high) noexcept nogil:
    return <int64_t>popcount(low) + <int64_t>popcount(high)


cdef void fill_costs(BarLags *b, int n) noexcept nogil:
    """Set the cost of each bar in each row."""
    cdef const uint64_t *low = b.bits[0]
    cdef const uint64_t *high = b.bits[1]
    cdef int32_t *costs
    cdef int64_t both, either
    cdef int i, row, lag
    for i in range(n):
        b.costs[0][i] = NEW
    for row in range(1, b.lag_count):
        lag = b.lags[row]
        costs = b.costs[row]
        for i in range(lag):
            costs[i] = IMPOSSIBLE
        for i in range(lag, n):
            both = both_have(low[i] & low[i - lag], high[i] & high[i - lag])
            either = b.sizes[i] + b.sizes[i - lag] - both
            costs[i] = <int32_t>(<float>(UNLIKE * <int32_t>(either - both)) / <float><int32_t>either)
    for row in range(b.lag_count, <int>ROWS):
        for i in range(n):
            b.costs[row][i] = IMPOSSIBLE


cdef void describe(BarLags *b, int n) noexcept nogil:
    """Set the lag of each bar in the cheapest description (A. Viterbi, 1967), from all positions of the eights at once."""
    cdef int i, row, eighth
    for row in range(<int>ROWS):
        for eighth in range(EIGHTHS):
            b.total[0][row][eighth] = b.costs[row][0]
    for i in range(1, n):
        describe_bar(b, i, OF_CHANGE[i & 7])
    go_back(b, n)


cdef inline void describe_bar(BarLags *b, int i, const int32_t *of_change) noexcept nogil:
    """Set the totals of a bar, all rows at once, so that none waits for what another has stored."""
    cdef int32_t row_0, row_1, row_2, row_3, row_4, row_5, row_6, row_7, best
    cdef int32_t cost_0 = b.costs[0][i], cost_1 = b.costs[1][i], cost_2 = b.costs[2][i], cost_3 = b.costs[3][i]
    cdef int32_t cost_4 = b.costs[4][i], cost_5 = b.costs[5][i], cost_6 = b.costs[6][i], cost_7 = b.costs[7][i]
    cdef int eighth
    for eighth in range(EIGHTHS):
        row_0 = b.total[i - 1][0][eighth]
        row_1 = b.total[i - 1][1][eighth]
        row_2 = b.total[i - 1][2][eighth]
        row_3 = b.total[i - 1][3][eighth]
        row_4 = b.total[i - 1][4][eighth]
        row_5 = b.total[i - 1][5][eighth]
        row_6 = b.total[i - 1][6][eighth]
        row_7 = b.total[i - 1][7][eighth]
        best = min(min(min(row_0, row_1), min(row_2, row_3)), min(min(row_4, row_5), min(row_6, row_7))) + of_change[eighth]
        b.total[i][0][eighth] = min(row_0, best) + cost_0
        best += COPY
        b.total[i][1][eighth] = min(row_1, best) + cost_1
        b.total[i][2][eighth] = min(row_2, best) + cost_2
        b.total[i][3][eighth] = min(row_3, best) + cost_3
        b.total[i][4][eighth] = min(row_4, best) + cost_4
        b.total[i][5][eighth] = min(row_5, best) + cost_5
        b.total[i][6][eighth] = min(row_6, best) + cost_6
        b.total[i][7][eighth] = min(row_7, best) + cost_7


cdef void go_back(BarLags *b, int n) noexcept nogil:
    """Set the lags from the rows that were cheapest, from the last bar to the first."""
    cdef int usual = 2 * b.sizes[0] <= b.sizes[1]  # after an upbeat the second bar begins the first group
    cdef int i, row = 0, eighth = 0, found
    cdef int32_t cost, least = 0
    for i in range(EIGHTHS):
        found = cheapest_row(b, n - 1, i)
        cost = b.total[n - 1][found][i] + (0 if i == usual else UNUSUAL)
        if i == 0 or cost < least:
            least = cost
            eighth = i
            row = found
    i = n - 1
    while i > 0:
        b.lag[i] = b.lags[row]
        found = cheapest_row(b, i - 1, eighth)
        if b.total[i - 1][row][eighth] > b.total[i - 1][found][eighth] + OF_CHANGE[i & 7][eighth] + (COPY if row else 0):
            row = found
        i -= 1
    b.lag[0] = b.lags[row]


cdef int cheapest_row(const BarLags *b, int i, int eighth) noexcept nogil:
    """The row with the least total at a bar, the first on a tie."""
    cdef int row, best = 0
    for row in range(1, b.lag_count):
        best = row if b.total[i][row][eighth] < b.total[i][best][eighth] else best
    return best
