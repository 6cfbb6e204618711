"""Time-signature events to the one in force longest."""

from libc.stdlib cimport free, qsort
from libc.string cimport memset

from midiopt.core.memory cimport KEPT_BYTES, reserve
from midiopt.core.smf.midi cimport META, META_TIME_SIGNATURE, MAX_EVENTS_CAP, NO_MEMORY, USABLE, Mark


cdef Status read_time_signatures(TimeSignatures *meter, const Arena *arena, const uint8_t *data, size_t first, size_t last, int64_t duration) noexcept nogil:
    """The signature with the most ticks up to `duration`, the first to come into force on a tie, and
    the number of real changes after tick 0. Time before the first declaration counts for nothing."""
    cdef const Mark *mark
    cdef const Mark *end
    cdef TimeSignature *s
    cdef size_t i, count = 0, kept = 0
    cdef bint sorted = True
    cdef int64_t until, most = -1
    meter.found = False
    meter.count = 0
    meter.change_count = 0
    for i in range(first, last):
        mark = arena.marks + arena.tracks[i].first_mark
        end = mark + arena.tracks[i].mark_count
        while mark < end:
            if mark.status == META and mark.type == META_TIME_SIGNATURE and mark.valid:
                if reserve(<void **>&meter.signatures, &meter.capacity, count + 1, sizeof(TimeSignature), MAX_EVENTS_CAP, True):
                    return NO_MEMORY
                s = &meter.signatures[count]
                s.tick = arena.events[mark.event].tick
                s.order = count
                s.code = <uint32_t>data[mark.offset] << 3 | data[mark.offset + 1]
                sorted &= count == 0 or s.tick >= meter.signatures[count - 1].tick
                count += 1
            mark += 1
    if count == 0:
        return USABLE
    meter.found = True
    s = meter.signatures
    if not sorted:
        qsort(s, count, sizeof(TimeSignature), by_tick_and_arrival)
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
            meter.change_count += 1
    for i in range(kept):
        if meter.ticks[s[i].code] > most:
            most = meter.ticks[s[i].code]
            meter.main_code = s[i].code
    for i in range(kept):
        meter.ticks[s[i].code] = 0
    return USABLE


cdef int by_tick_and_arrival(const void *a, const void *b) noexcept nogil:
    cdef const TimeSignature *x = <const TimeSignature *>a
    cdef const TimeSignature *y = <const TimeSignature *>b
    if x.tick != y.tick:
        return -1 if x.tick < y.tick else 1
    return -1 if x.order < y.order else 1


cdef void time_signatures_trim(TimeSignatures *meter) noexcept nogil:
    if meter.capacity * sizeof(TimeSignature) > KEPT_BYTES:
        time_signatures_free(meter)


cdef void time_signatures_free(TimeSignatures *meter) noexcept nogil:
    free(meter.signatures)
    memset(meter, 0, sizeof(TimeSignatures))
