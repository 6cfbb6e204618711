"""Steps in time order: how many pitched notes sound at once."""

from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from .memory cimport reserve
from .midi cimport MOST_EVENTS, NO_MEMORY, USABLE
from .note cimport Pair
from .tempo cimport TempoSegment, seconds_at

cdef enum:
    DIGIT = 10  # most bits sorted in one pass: 4 KB of counters stay in the first-level cache
    MOST_PASSES = 7


cdef Status measure_polyphony(Notes *notes, const TempoMap *map) noexcept nogil:
    """Add the polyphony of a sequence to the tally."""
    if reserve(<void **>&notes.spare, &notes.spare_capacity, notes.step_count, sizeof(Pair), 2 * MOST_EVENTS, False):
        return NO_MEMORY
    sort_pairs(notes.steps, notes.step_count, notes.spare)
    sweep(notes, map)
    return USABLE


cdef void sweep(Notes *notes, const TempoMap *map) noexcept nogil:
    """Add up the steps of all tracks: half-open intervals of ticks, [on, off). At a tick the steps that
    lessen come first, so that no sum within a tick exceeds the one before it or the one after."""
    cdef const Pair *step = notes.steps
    cdef const Pair *end = step + notes.step_count
    cdef const TempoSegment *segment = map.segments
    cdef int64_t sounding = 0, most = notes.tally.polyphony_max
    cdef int64_t tick, before = 0, ticks = 0
    cdef double now, then = 0, seconds = 0
    if map.count == 1:  # one tempo: without a branch, and in ticks
        while step < end:
            tick = step.key >> 1
            ticks += (tick - before) & -<int64_t>(sounding > 0)
            before = tick
            sounding += <int64_t>step.value
            most = max(most, sounding)
            step += 1
        seconds = <double>ticks * segment.per_tick
    else:
        while step < end:
            now = seconds_at(map, &segment, step.key >> 1)
            if sounding > 0:
                seconds += now - then
            then = now
            sounding += <int64_t>step.value
            most = max(most, sounding)
            step += 1
    notes.tally.polyphonic += seconds
    notes.tally.polyphony_max = most


cdef inline int bits_in(uint64_t x) noexcept nogil:
    cdef int bits = 0
    while x:
        bits += 1
        x >>= 1
    return bits


cdef void sort_pairs(Pair *pairs, size_t n, Pair *spare) noexcept nogil:
    """Sort pairs by key.

    The steps of one track are in order, and then this costs nothing; after two moves a pair it gives up,
    since tracks behind one another need a radix sort.
    """
    cdef size_t i, j, moves = 0
    cdef Pair pair
    for i in range(1, n):
        if pairs[i].key >= pairs[i - 1].key:
            continue
        pair = pairs[i]
        j = i
        while j and pairs[j - 1].key > pair.key and moves <= 2 * n:
            pairs[j] = pairs[j - 1]
            j -= 1
            moves += 1
        pairs[j] = pair
        if moves > 2 * n:
            radix_sort(pairs, n, spare)
            return


cdef void radix_sort(Pair *pairs, size_t n, Pair *spare) noexcept nogil:
    """The least significant digit first, stable (H. H. Seward, 1954)."""
    cdef uint32_t starts[MOST_PASSES][1 << DIGIT]
    cdef Pair *source = pairs
    cdef Pair *target = spare
    cdef uint64_t all_bits = 0, key
    cdef size_t i
    cdef int bits, passes, digit, p
    cdef uint32_t mask, slot, sum, here
    for i in range(n):
        all_bits |= pairs[i].key
    bits = bits_in(all_bits)
    passes = (bits + DIGIT - 1) // DIGIT
    digit = (bits + passes - 1) // passes
    mask = (1 << digit) - 1
    # All digits are counted in one pass: neighbours often share a digit, and then each increment waits
    # for the one before; those of other digits run beside it.
    for p in range(passes):
        memset(starts[p], 0, (mask + 1) * sizeof(uint32_t))
    for i in range(n):
        key = pairs[i].key
        for p in range(passes):
            starts[p][key & mask] += 1
            key >>= digit
    for p in range(passes):
        sum = 0
        for slot in range(mask + 1):
            here = starts[p][slot]
            starts[p][slot] = sum
            sum += here
        for i in range(n):
            key = source[i].key >> (p * digit) & mask
            slot = starts[p][key]
            starts[p][key] = slot + 1
            target[slot] = source[i]
        source, target = target, source
    if source != pairs:
        memcpy(pairs, source, n * sizeof(Pair))
