"""Notes that are held over more than two half bars.

A module of its own: inlined into the loop over all notes, they cost each note two instructions more.
"""

from midiopt.core.doubles cimport TRUNCATION_OFFSET

cdef enum:
    SCALAR_SUSTAINED = 4  # half bars that are added one by one, as most notes need
    MAX_SUSTAINED = 64  # half bars in which a note counts after the one it begins in


cdef void add_sustained(
    int32_t *weights, uint8_t *lowest, FullWeights *full, const BarGrid *bars, int f, int64_t rest, uint8_t pitch, double scale
) noexcept nogil:
    """Add `rest` subticks of a note to the half bars from f on, the second after the one in which it begins."""
    cdef int64_t half_bar
    cdef int stop = min(bars.half_bar_count, f - 1 + MAX_SUSTAINED)
    cdef int scalar_stop = min(stop, f + SCALAR_SUSTAINED)
    while f < scalar_stop and rest > 0:
        half_bar = bars.starts[f + 1] - bars.starts[f]
        weights[f] += <int32_t>min(min(rest, half_bar) * scale + TRUNCATION_OFFSET, <double>MAX_WEIGHT)
        lowest[f] = min(lowest[f], pitch if 3 * rest >= half_bar else 255)
        rest -= half_bar
        f += 1
    if f < stop and rest > 0:
        add_long(weights, lowest, full, bars, f, stop, rest, pitch, scale)


cdef void add_long(
    int32_t *weights, uint8_t *lowest, FullWeights *full, const BarGrid *bars, int first, int stop, int64_t rest, uint8_t pitch,
    double scale
) noexcept nogil:
    """The same in vectors: half bar by half bar, notes that are all held cost nine times the instructions per byte of a song."""
    cdef int low = first, high = stop, middle, f
    if not full.known:
        full.known = True
        for f in range(bars.half_bar_count):
            full.weights[f] = <int32_t>min((bars.starts[f + 1] - bars.starts[f]) * scale + TRUNCATION_OFFSET, <double>MAX_WEIGHT)
    while low < high:  # the first half bar in which the note does not sound throughout
        middle = low + (high - low) // 2
        if bars.starts[middle + 1] - bars.starts[first] <= rest:
            low = middle + 1
        else:
            high = middle
    for f in range(first, low):
        weights[f] += full.weights[f]
    for f in range(first, low):
        lowest[f] = min(lowest[f], pitch)
    rest -= bars.starts[low] - bars.starts[first]
    if low < stop and rest > 0:
        weights[low] += <int32_t>min(rest * scale + TRUNCATION_OFFSET, <double>MAX_WEIGHT)
        lowest[low] = min(lowest[low], pitch if 3 * rest >= bars.starts[low + 1] - bars.starts[low] else 255)
