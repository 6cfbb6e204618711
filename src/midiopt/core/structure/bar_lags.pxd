from libc.stdint cimport int32_t, int64_t, uint64_t

cdef enum:
    MAX_BARS = 512
    ROWS = 8  # the first is that of new bars, the others are lags
    SAMPLED = 2 * MAX_BARS  # room
    EIGHTHS = 8  # bars with which groups of eight bars may begin

cdef struct BarLags:
    uint64_t bits[2][MAX_BARS]  # of each bar, a bit per position and pitch
    int64_t sizes[MAX_BARS]  # bits that are set
    # The same of every step-th bar, then of every step-th from the second on, ...: choose_lags compares neighbours.
    uint64_t sampled[2][SAMPLED]
    int64_t sampled_sizes[SAMPLED]
    int lags[ROWS]
    int64_t alike[ROWS]  # bars of the sample that cost less as copies with each lag
    int lag_count  # with the row of new bars
    int32_t costs[ROWS][MAX_BARS]
    int32_t total[MAX_BARS][ROWS][EIGHTHS]  # least cost of the bars up to each, if that is in the row
    int lag[MAX_BARS]  # with which each bar is copied; 0 for new ones


# Domain: MIN_BARS to MAX_BARS bars, each with a bit at least.
cdef void find_lags(BarLags *b, int n) noexcept nogil
