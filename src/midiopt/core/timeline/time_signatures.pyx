"""Time-signature events to the one in force longest."""

from libc.stdlib cimport free, qsort
from libc.string cimport memset

from midiopt.core.memory cimport KEPT_BYTES, reserve
from midiopt.core.smf.midi cimport META, META_TIME_SIGNATURE, MOST_EVENTS, NO_MEMORY, USABLE, Mark


cdef Status read_meter(Meter *meter, const Arena *arena, const uint8_t *data, size_t first, size_t last, int64_t duration) noexcept nogil:
    """The signature with the most ticks up to `duration`, the first to come into force on a tie, and
    the number of real changes after tick 0. Time before the first declaration counts for nothing."""
    cdef const Mark *mark
    cdef const Mark *end
    cdef Signature *s
    cdef size_t i, count = 0, kept = 0
    cdef bint sorted = True
    cdef int64_t until, most = -1
    meter.found = False
    meter.count = 0
    meter.changes = 0
    for i in range(first, last):
        mark = arena.marks + arena.tracks[i].first_mark
        end = mark + arena.tracks[i].mark_count
        while mark < end:
            if mark.status == META and mark.type == META_TIME_SIGNATURE and mark.valid:
                if reserve(<void **>&meter.declared, &meter.capacity, count + 1, sizeof(Signature), MOST_EVENTS, True):
                    return NO_MEMORY
                s = &meter.declared[count]
                s.tick = arena.events[mark.event].tick
                s.order = count
                s.code = <uint32_t>data[mark.offset] << 3 | data[mark.offset + 1]
                sorted &= count == 0 or s.tick >= meter.declared[count - 1].tick
                count += 1
            mark += 1
    if count == 0:
        return USABLE
    meter.found = True
    s = meter.declared
    if not sorted:
        qsort(s, count, sizeof(Signature), by_tick_and_arrival)
    for i in range(count):
        if i + 1 < count and s[i + 1].tick == s[i].tick:
            continue  # the last at a tick wins
        if kept and s[kept - 1].code == s[i].code:
            continue
        s[kept] = s[i]
        kept += 1
    meter.count = kept
    for i in range(kept):
        until = s[i + 1].tick if i + 1 < kept else duration
        meter.ticks[s[i].code] += until - s[i].tick
        if i and s[i].tick:
            meter.changes += 1
    for i in range(kept):
        if meter.ticks[s[i].code] > most:
            most = meter.ticks[s[i].code]
            meter.longest = s[i].code
    for i in range(kept):
        meter.ticks[s[i].code] = 0
    return USABLE


cdef int by_tick_and_arrival(const void *a, const void *b) noexcept nogil:
    cdef const Signature *x = <const Signature *>a
    cdef const Signature *y = <const Signature *>b
    if x.tick != y.tick:
        return -1 if x.tick < y.tick else 1
    return -1 if x.order < y.order else 1


cdef void meter_trim(Meter *meter) noexcept nogil:
    if meter.capacity * sizeof(Signature) > KEPT_BYTES:
        meter_free(meter)


cdef void meter_free(Meter *meter) noexcept nogil:
    free(meter.declared)
    memset(meter, 0, sizeof(Meter))
