"""Polyphony: how many pitched notes sound at once, from the on and off boundaries in time order."""

from libc.stddef cimport size_t
from libc.stdint cimport int32_t, int64_t, uint32_t
from libc.string cimport memcpy

from midiopt.core.memory cimport BOUNDARY_SORT_BLOCK, reserve_block
from midiopt.core.notes.merge cimport merge_narrow, merge_wide
from midiopt.core.notes.types cimport SWEEP_BLOCK, tick_t
from midiopt.core.smf.midi cimport MAX_EVENTS_CAP, NO_MEMORY, USABLE
from midiopt.core.timeline.tempo_map cimport TempoSegment, seconds_at


cdef Status measure_polyphony(Notes *notes, const TempoMap *map) noexcept nogil:
    """Add the polyphony of a sequence to the counts, and sort its boundaries."""
    cdef void *spare = reserve_block(
        notes.scratch, BOUNDARY_SORT_BLOCK, notes.boundary_count, sizeof(int64_t), 2 * MAX_EVENTS_CAP, False
    )
    if spare == NULL:
        return NO_MEMORY
    if notes.columns.wide:
        measure_boundaries[int64_t](notes, map, <int64_t *>notes.boundaries, <int64_t *>spare)
    else:
        measure_boundaries[int32_t](notes, map, <int32_t *>notes.boundaries, <int32_t *>spare)
    return USABLE


cdef void measure_boundaries(Notes *notes, const TempoMap *map, tick_t *boundaries, tick_t *spare) noexcept nogil:
    """The same, with the type of the boundaries."""
    cdef const tick_t *in_order = sort_boundaries(notes, boundaries, spare)
    notes.sorted_boundaries = in_order
    if map.count == 1:
        notes.counts.sounding_seconds += <double>sweep_ticks(notes, in_order) * map.segments.seconds_per_tick
    else:
        notes.counts.sounding_seconds += sweep_seconds(notes, in_order, map)


cdef double sweep_seconds(Notes *notes, const tick_t *boundary, const TempoMap *map) noexcept nogil:
    """The seconds in which anything sounds, and the highest polyphony. Notes sound from onset to end (exclusive).

    The number of sounding notes is known after the last boundary at a tick, so the maximum is taken where time advances.
    """
    cdef const tick_t *end = boundary + notes.boundary_count
    cdef const TempoSegment *segment = map.segments
    cdef int64_t sounding = 0, highest = notes.counts.polyphony_max
    cdef int64_t tick, last_tick = 0
    cdef double now, last_seconds = 0, seconds = 0
    while boundary < end:
        tick = boundary[0] >> 1
        if tick > last_tick:
            now = seconds_at(map, &segment, tick)
            if sounding > 0:
                seconds += now - last_seconds
                highest = max(highest, sounding)
            last_seconds = now
            last_tick = tick
        sounding += 2 * <int64_t>(boundary[0] & 1) - 1
        boundary += 1
    notes.counts.polyphony_max = highest
    return seconds


cdef int64_t sweep_ticks(Notes *notes, const tick_t *boundary) noexcept nogil:
    """The same under one tempo, in ticks. The running number of sounding notes is a dependency chain; all else vectorises.

    No sum is more than the last tick, nor any number of notes more than the number of events: both have the bits of a tick.
    """
    cdef size_t i, n, count = notes.boundary_count
    cdef tick_t *levels = <tick_t *>notes.levels
    cdef tick_t sounding = 0, highest = 0, ticks = 0, none = 0, moved
    while count > 1:
        n = min(count - 1, <size_t>SWEEP_BLOCK)
        for i in range(n):
            sounding += <tick_t>(2 * (boundary[i] & 1) - 1)
            levels[i] = sounding
        for i in range(n):  # `none` is a variable, because a constant is a long, and as wide would be the vectors
            moved = (boundary[i + 1] >> 1) - (boundary[i] >> 1)
            ticks += moved if levels[i] > none else none
            highest = max(highest, levels[i] if moved > none else none)
        boundary += n
        count -= n
    notes.counts.polyphony_max = max(notes.counts.polyphony_max, <int64_t>highest)
    return ticks


cdef const tick_t *sort_boundaries(Notes *notes, tick_t *source, tick_t *target) noexcept nogil:
    """The boundaries of all tracks in time order: neighbouring runs are merged until one is left.

    A radix sort of three passes took twice as long: in music, neighbours share a digit, and then each increment of its
    counter waits for the one before.
    """
    cdef uint32_t *ends = notes.run_ends
    cdef size_t runs = notes.run_count, i, merged, start
    while runs > 1:
        start = merged = i = 0
        while i < runs:
            if i + 1 < runs:
                if tick_t is int32_t:
                    merge_narrow(source + start, source + ends[i], source + ends[i + 1], target + start)
                else:
                    merge_wide(source + start, source + ends[i], source + ends[i + 1], target + start)
                i += 1
            else:
                memcpy(target + start, source + start, (ends[i] - start) * sizeof(tick_t))
            start = ends[merged] = ends[i]
            merged += 1
            i += 1
        runs = merged
        source, target = target, source
    return source
