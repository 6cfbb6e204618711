"""Steps in time order: how many pitched notes sound at once."""

from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memcpy

from midiopt.core.memory cimport reserve
from midiopt.core.smf.midi cimport MAX_EVENTS_CAP, NO_MEMORY, USABLE
from midiopt.core.notes.types cimport SWEEP_BLOCK, PackedNote
from midiopt.core.timeline.tempo_map cimport TempoSegment, seconds_at


cdef Status measure_polyphony(Notes *notes, const TempoMap *map) noexcept nogil:
    """Add the polyphony of a sequence to the counts."""
    if reserve(<void **>&notes.spare, &notes.spare_capacity, (notes.boundary_count + 1) // 2, sizeof(PackedNote), 2 * MAX_EVENTS_CAP, False):
        return NO_MEMORY
    notes.sorted_boundaries = in_order(notes)
    sweep(notes, notes.sorted_boundaries, map)
    return USABLE


cdef void sweep(Notes *notes, const uint64_t *step, const TempoMap *map) noexcept nogil:
    """Add up the steps, which are in time order: half-open intervals of ticks, [on, off). What sounds is known once a
    tick's last step is counted, so the most is looked for where time moves on."""
    cdef const uint64_t *end = step + notes.boundary_count
    cdef const TempoSegment *segment = map.segments
    cdef int64_t sounding = 0, most = notes.counts.polyphony_max
    cdef int64_t tick, before = 0
    cdef double now, then = 0, seconds = 0
    if map.count == 1:
        seconds = <double>sweep_ticks(notes, step, &most) * segment.seconds_per_tick
    else:
        while step < end:
            tick = step[0] >> 1
            if tick > before:
                now = seconds_at(map, &segment, tick)
                if sounding > 0:
                    seconds += now - then
                    most = max(most, sounding)
                then = now
                before = tick
            sounding += 2 * <int64_t>(step[0] & 1) - 1
            step += 1
    notes.counts.sounding_seconds += seconds
    notes.counts.polyphony_max = most


cdef int64_t sweep_ticks(Notes *notes, const uint64_t *step, int64_t *most) noexcept nogil:
    """The ticks in which anything sounds. Counting what sounds is a chain; all else is in vectors."""
    cdef int64_t sounding = 0, highest = most[0], ticks = 0, moved
    cdef size_t i, n, count = notes.boundary_count
    while count > 1:
        n = min(count - 1, <size_t>SWEEP_BLOCK)
        for i in range(n):
            sounding += 2 * <int64_t>(step[i] & 1) - 1
            notes.levels[i] = sounding
        for i in range(n):
            moved = <int64_t>(step[i + 1] >> 1) - <int64_t>(step[i] >> 1)
            ticks += moved if notes.levels[i] > 0 else 0
            highest = max(highest, notes.levels[i] if moved > 0 else 0)
        step += n
        count -= n
    most[0] = highest
    return ticks


cdef const uint64_t *in_order(Notes *notes) noexcept nogil:
    """The steps of all tracks in time order. Each track's are a run; neighbouring runs are merged until
    one is left. (A radix sort of three passes took twice as long: in music, neighbours share a digit, and
    then each increment of its counter waits for the one before.)"""
    cdef uint64_t *source = notes.boundaries
    cdef uint64_t *target = <uint64_t *>notes.spare
    cdef uint32_t *ends = notes.run_ends
    cdef size_t runs = notes.run_count, i, merged, start
    while runs > 1:
        start = merged = i = 0
        while i < runs:
            if i + 1 < runs:
                merge(source + start, source + ends[i], source + ends[i + 1], target + start)
                i += 1
            else:
                memcpy(target + start, source + start, (ends[i] - start) * sizeof(uint64_t))
            start = ends[merged] = ends[i]
            merged += 1
            i += 1
        runs = merged
        source, target = target, source
    return source


cdef inline void merge(const uint64_t *a, const uint64_t *middle, const uint64_t *end, uint64_t *out) noexcept nogil:
    """Merge the runs from `a` to `middle` and on to `end`, neither empty, into `out`.

    From the front and the back at once, without a branch on what is smaller: each step waits for the
    last one's load, and two that wait for different ones run side by side.
    """
    cdef const uint64_t *b = middle
    cdef const uint64_t *last_a = middle - 1
    cdef const uint64_t *last_b = end - 1
    cdef uint64_t *back = out + (end - a) - 1
    cdef uint64_t x, y
    cdef bint second
    while a < last_a and b < last_b:
        x = a[0]
        y = b[0]
        second = y < x
        out[0] = y if second else x
        a += not second
        b += second
        out += 1
        x = last_a[0]
        y = last_b[0]
        second = y >= x
        back[0] = y if second else x
        last_a -= not second
        last_b -= second
        back -= 1
    while a <= last_a and b <= last_b:
        second = b[0] < a[0]
        out[0] = b[0] if second else a[0]
        a += not second
        b += second
        out += 1
    memcpy(out, a, (last_a + 1 - a) * sizeof(uint64_t))
    memcpy(out + (last_a + 1 - a), b, (last_b + 1 - b) * sizeof(uint64_t))
