"""The tempo map of a sequence: ticks to seconds, and the facts about its tempo."""

from libc.math cimport NAN, fabs, floor
from libc.stdint cimport INT64_MAX
from libc.stdlib cimport qsort

from midiopt.core.facts cimport FROM_NOTHING, FROM_TEMPO_MAP
from midiopt.core.memory cimport TEMPO_EVENT_BLOCK, TEMPO_SEGMENT_BLOCK, TEMPO_SHARE_BLOCK, reserve_block
from midiopt.core.smf.arena cimport MarkRange, marks_of, next_meta
from midiopt.core.smf.midi cimport DEFAULT_TEMPO, MAX_EVENTS_CAP, META_TEMPO, NO_MEMORY, USABLE, Mark
from midiopt.core.timeline.timed_values cimport TimedValue, add_timed_value, clear_timed_values, sort_timed_values

cdef enum:
    MAX_SEGMENTS = MAX_EVENTS_CAP + 1


cdef Status read_tempo_map(TempoMap *map, const Arena *arena, const uint8_t *data, size_t first_track, size_t end_track) noexcept nogil:
    """Make the tempo map of the tracks from `first_track` to `end_track` (exclusive).

    Events count in (tick, track, position) order; the last at a tick wins, and 120 BPM holds until the first. Under SMPTE
    there is one segment, whatever tempo events there are.
    """
    cdef Status status
    cdef uint32_t division = arena.header.division
    cdef double frames
    clear_timed_values(&map.events)
    if division & 0x8000:
        frames = 256 - (division >> 8)  # per second
        if frames == 29:
            frames = 30000 / 1001.0  # drop-frame
        map.ticks_per_quarter = frames * (division & 0xFF) / 2
    else:
        map.ticks_per_quarter = division
        status = read_tempo_events(map, arena, data, first_track, end_track)
        if status:
            return status
    map.declared = map.events.count > 0
    map.segments = <TempoSegment *>reserve_block(
        map.scratch, TEMPO_SEGMENT_BLOCK, map.events.count + 1, sizeof(TempoSegment), MAX_SEGMENTS, False
    )
    if map.segments == NULL:
        return NO_MEMORY
    build_segments(map)
    return USABLE


cdef Status read_tempo_events(TempoMap *map, const Arena *arena, const uint8_t *data, size_t first_track, size_t end_track) noexcept nogil:
    cdef MarkRange marks = marks_of(arena, first_track, end_track)
    cdef const Mark *mark = next_meta(&marks, META_TEMPO)
    cdef uint32_t tempo
    while mark != NULL:
        tempo = data[mark.offset] << 16 | data[mark.offset + 1] << 8 | data[mark.offset + 2]
        if add_timed_value(&map.events, map.scratch, TEMPO_EVENT_BLOCK, arena.events[mark.event].tick, mark.event, tempo):
            return NO_MEMORY
        mark = next_meta(&marks, META_TEMPO)
    sort_timed_values(&map.events)
    return USABLE


cdef void build_segments(TempoMap *map) noexcept nogil:
    """Tempo events to segments; neighbours of the same tempo become one."""
    cdef const TimedValue *events = map.events.items
    cdef TempoSegment *segments = map.segments
    cdef size_t i, n = map.events.count, kept = 1
    segments[0].start = 0
    segments[0].seconds = 0
    segments[0].tempo = DEFAULT_TEMPO
    for i in range(n):
        if i + 1 < n and events[i + 1].tick == events[i].tick:
            continue  # the last at a tick wins
        if events[i].tick == 0:
            segments[0].tempo = events[i].value
        elif events[i].value != segments[kept - 1].tempo:
            segments[kept].start = events[i].tick
            segments[kept].tempo = events[i].value
            kept += 1
    for i in range(kept):
        segments[i].seconds_per_tick = segments[i].tempo / (1e6 * map.ticks_per_quarter)
        if i:
            segments[i - 1].end = segments[i].start
            segments[i].seconds = (
                segments[i - 1].seconds + <double>(segments[i].start - segments[i - 1].start) * segments[i - 1].seconds_per_tick
            )
    segments[kept - 1].end = INT64_MAX
    map.count = kept


cdef const TempoSegment *segment_at(const TempoMap *map, const TempoSegment *start, int64_t tick) noexcept nogil:
    """The segment that holds `tick`, at or after `start`.

    The next few segments are tried, then a binary search is made, so that time does not grow with the product of tracks
    and tempo events.
    """
    cdef const TempoSegment *low = start
    cdef const TempoSegment *high = map.segments + map.count - 1
    cdef const TempoSegment *middle
    cdef int _
    for _ in range(4):
        if tick < low.end:
            return low
        low += 1
    while low < high:
        middle = low + (high - low) // 2
        if tick < middle.end:
            high = middle
        else:
            low = middle + 1
    return low


cdef double bpm_of(uint32_t tempo) noexcept nogil:
    """Beats per minute of a tempo in microseconds per quarter.

    If an integer BPM is written as this tempo to within a microsecond, the result is that integer: 130 BPM is written as
    461538, which alone would read 130.0001.
    """
    cdef double bpm = 60e6 / tempo
    cdef double whole = floor(bpm + 0.5)
    return whole if whole >= 1 and fabs(tempo - 60e6 / whole) <= 1 else bpm


cdef int compare_bpm(const void *a, const void *b) noexcept nogil:
    cdef double x = (<const TempoShare *>a).bpm
    cdef double y = (<const TempoShare *>b).bpm
    return -1 if x < y else x > y


cdef Status write_tempo_facts(TempoMap *map, int64_t horizon, Facts *facts) noexcept nogil:
    """Write bpm and the facts beside it, of the ticks from 0 to `horizon` (the last note end).

    bpm is the median weighted by ticks, the lower one on a tie, so that a final ritardando does not move it. Its
    confidence is the share of the time in which the tempo is within 4 % of it.
    """
    cdef size_t n
    facts.bpm = facts.bpm_mean = facts.bpm_min = facts.bpm_max = NAN
    facts.bpm_source = FROM_NOTHING
    facts.bpm_confidence = 0
    facts.tempo_changes = 0
    if not map.declared:
        return USABLE
    facts.bpm_source = FROM_TEMPO_MAP
    facts.tempo_changes = map.count - 1
    map.shares = <TempoShare *>reserve_block(map.scratch, TEMPO_SHARE_BLOCK, map.count, sizeof(TempoShare), MAX_SEGMENTS, False)
    if map.shares == NULL:
        return NO_MEMORY
    n = sort_tempo_shares(map, horizon)
    facts.bpm_min = facts.bpm_mean = map.shares[0].bpm
    facts.bpm_max = map.shares[n - 1].bpm
    write_mean_and_confidence(map, n, horizon, weighted_median(map.shares, n, horizon), facts)
    return USABLE


cdef size_t sort_tempo_shares(TempoMap *map, int64_t horizon) noexcept nogil:
    """Collect the tempo and the ticks of each segment before `horizon`, sorted by tempo; returns the number of segments."""
    cdef const TempoSegment *segment
    cdef size_t i, n = 0
    for i in range(map.count):
        segment = &map.segments[i]
        if i and segment.start >= horizon:
            break
        map.shares[i].bpm = bpm_of(segment.tempo)
        map.shares[i].ticks = min(segment.end, horizon) - segment.start
        n += 1
    if n > 1:
        qsort(map.shares, n, sizeof(TempoShare), compare_bpm)
    return n


cdef double weighted_median(const TempoShare *shares, size_t n, int64_t total) noexcept nogil:
    cdef size_t i
    cdef int64_t ticks = 0
    cdef double bpm = 0
    for i in range(n):
        ticks += shares[i].ticks
        bpm = shares[i].bpm
        if ticks >= total - ticks:
            break
    return bpm


cdef void write_mean_and_confidence(const TempoMap *map, size_t n, int64_t horizon, double bpm, Facts *facts) noexcept nogil:
    cdef const TempoSegment *segment
    cdef double seconds, total = 0, near = 0
    cdef size_t i
    for i in range(n):
        segment = &map.segments[i]
        seconds = <double>(min(segment.end, horizon) - segment.start) * segment.seconds_per_tick
        total += seconds
        if fabs(bpm_of(segment.tempo) / bpm - 1) <= 0.04:
            near += seconds
    facts.bpm = bpm
    facts.bpm_confidence = near / total if total > 0 else 1
    if facts.bpm_min != facts.bpm_max:
        facts.bpm_mean = <double>horizon / map.ticks_per_quarter * 60 / total
