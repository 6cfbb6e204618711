"""Notes that are held over more than two beats.

A module of its own: inlined into the loop over all notes, they cost each note two instructions more.
"""

from midiopt.core.doubles cimport TRUNCATION_OFFSET

cdef enum:
    SCALAR_SUSTAINED = 4  # beats: a note that sounds in no more, as most do, is added to one after another
    MAX_SUSTAINED = 128  # beats in which a note counts after the one it begins in


cdef void add_sustained(
    int32_t *weights, uint8_t *lowest, FullWeights *full, const BarGrid *bars, int f, int64_t rest, uint8_t pitch, double scale,
    int shift
) noexcept nogil:
    """Add `rest` subticks of a note to the beats from f on, the second after the one in which it begins."""
    cdef int64_t beat
    cdef int stop = min(bars.beat_count, f - 1 + MAX_SUSTAINED)
    if f + SCALAR_SUSTAINED < stop and rest > bars.starts[f + SCALAR_SUSTAINED] - bars.starts[f]:
        add_long(weights, lowest, full, bars, f, stop, rest, pitch, scale, shift)
        return
    while f < stop and rest > 0:
        beat = bars.starts[f + 1] - bars.starts[f]
        weights[f] += <int32_t>min(min(rest, beat) * scale + TRUNCATION_OFFSET, <double>MAX_WEIGHT) >> shift
        lowest[f] = min(lowest[f], pitch if 3 * rest >= beat else 255)
        rest -= beat
        f += 1


cdef void add_long(
    int32_t *weights, uint8_t *lowest, FullWeights *full, const BarGrid *bars, int first, int stop, int64_t rest, uint8_t pitch,
    double scale, int shift
) noexcept nogil:
    """The same in vectors: beat by beat, notes that are all held cost nine times the instructions per byte of a song.

    Without the search, a note that sounds up to `stop` costs 15 % less.
    """
    cdef int low = first, high = stop, middle, f
    if not full.known:
        full.known = True
        for f in range(bars.beat_count):
            full.weights[f] = <int32_t>min((bars.starts[f + 1] - bars.starts[f]) * scale + TRUNCATION_OFFSET, <double>MAX_WEIGHT)
    if rest >= bars.starts[stop] - bars.starts[first]:
        low = stop
    while low < high:  # the first beat in which the note does not sound throughout
        middle = low + (high - low) // 2
        if bars.starts[middle + 1] - bars.starts[first] <= rest:
            low = middle + 1
        else:
            high = middle
    for f in range(first, low):
        weights[f] += full.weights[f] >> shift
    for f in range(first, low):
        lowest[f] = min(lowest[f], pitch)
    rest -= bars.starts[low] - bars.starts[first]
    if low < stop and rest > 0:
        weights[low] += <int32_t>min(rest * scale + TRUNCATION_OFFSET, <double>MAX_WEIGHT) >> shift
        lowest[low] = min(lowest[low], pitch if 3 * rest >= bars.starts[low + 1] - bars.starts[low] else 255)
