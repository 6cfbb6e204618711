"""The time signatures of a sequence, and the one that is in force longest."""

from midiopt.core.memory cimport SIGNATURE_BLOCK
from midiopt.core.smf.arena cimport MarkRange, marks_of, next_meta
from midiopt.core.smf.midi cimport META_TIME_SIGNATURE, NO_MEMORY, USABLE, Mark
from midiopt.core.timeline.timed_values cimport TimedValue, add_timed_value, clear_timed_values, sort_timed_values


cdef Status read_time_signatures(
    TimeSignatures *signatures, const Arena *arena, const uint8_t *data, size_t first_track, size_t end_track, int64_t duration
) noexcept nogil:
    """Read the signatures of the tracks from `first_track` to `end_track` (exclusive), which end at tick `duration`."""
    cdef MarkRange marks = marks_of(arena, first_track, end_track)
    cdef const Mark *mark = next_meta(&marks, META_TIME_SIGNATURE)
    cdef uint32_t code
    clear_timed_values(&signatures.changes)
    signatures.change_count = 0
    while mark != NULL:
        code = <uint32_t>data[mark.offset] << 3 | data[mark.offset + 1]
        if add_timed_value(&signatures.changes, signatures.scratch, SIGNATURE_BLOCK, arena.events[mark.event].tick, mark.event, code):
            return NO_MEMORY
        mark = next_meta(&marks, META_TIME_SIGNATURE)
    signatures.found = signatures.changes.count > 0
    if signatures.found:
        sort_timed_values(&signatures.changes)
        keep_real_changes(&signatures.changes)
        find_main_code(signatures, duration)
    return USABLE


cdef void keep_real_changes(TimedValues *changes) noexcept nogil:
    """Drop all but the last signature at a tick, and those that repeat the one in force."""
    cdef TimedValue *items = changes.items
    cdef size_t i, kept = 0
    for i in range(changes.count):
        if i + 1 < changes.count and items[i + 1].tick == items[i].tick:
            continue
        if kept and items[kept - 1].value == items[i].value:
            continue
        items[kept] = items[i]
        kept += 1
    changes.count = kept


cdef void find_main_code(TimeSignatures *signatures, int64_t duration) noexcept nogil:
    """Find the code with the most ticks up to `duration`, the first in force on a tie, and count the changes after tick 0.

    Time before the first signature counts for none.
    """
    cdef const TimedValue *items = signatures.changes.items
    cdef size_t i, n = signatures.changes.count
    cdef int64_t until, longest = -1
    for i in range(n):
        until = items[i + 1].tick if i + 1 < n else duration
        signatures.ticks[items[i].value] += until - items[i].tick
        if i and items[i].tick:
            signatures.change_count += 1
    for i in range(n):
        if signatures.ticks[items[i].value] > longest:
            longest = signatures.ticks[items[i].value]
            signatures.main_code = items[i].value
    for i in range(n):
        signatures.ticks[items[i].value] = 0
