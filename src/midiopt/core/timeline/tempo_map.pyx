"""Tempo events to seconds and beats per minute."""

from libc.math cimport NAN, fabs, floor
from libc.stdint cimport INT64_MAX
from libc.stdlib cimport free, qsort
from libc.string cimport memset

from midiopt.core.facts cimport FROM_NOTHING, FROM_TEMPO_MAP
from midiopt.core.memory cimport KEPT_BYTES, reserve
from midiopt.core.smf.midi cimport DEFAULT_TEMPO, META, META_TEMPO, MAX_EVENTS_CAP, NO_MEMORY, USABLE, Mark

cdef enum:
    MAX_SEGMENTS = MAX_EVENTS_CAP + 1


cdef Status read_tempo_map(TempoMap *map, const Arena *arena, const uint8_t *data, size_t first, size_t last) noexcept nogil:
    """Make the tempo map of tracks `first` to `last` (exclusive).

    Events count in (tick, track, position) order and the last at a tick wins; 120 BPM holds until the
    first. Neighbours of the same tempo are one segment. Under SMPTE there is one segment, whatever
    tempo events say.
    """
    cdef const Mark *mark
    cdef const Mark *end
    cdef size_t i, kept, count = 1
    cdef bint sorted = True
    cdef int64_t tick
    cdef uint32_t division = arena.header.division
    cdef double frames
    cdef TempoSegment *segments
    map.declared = False
    if reserve(<void **>&map.segments, &map.capacity, 1, sizeof(TempoSegment), MAX_SEGMENTS, False):
        return NO_MEMORY
    if division & 0x8000:
        frames = 256 - (division >> 8)
        if frames == 29:
            frames = 30000 / 1001.0  # drop-frame
        map.ticks_per_quarter = frames * (division & 0xFF) / 2
    else:
        map.ticks_per_quarter = division
        for i in range(first, last):
            mark = arena.marks + arena.tracks[i].first_mark
            end = mark + arena.tracks[i].mark_count
            while mark < end:
                if mark.status == META and mark.type == META_TEMPO and mark.valid:
                    if reserve(<void **>&map.segments, &map.capacity, count + 1, sizeof(TempoSegment), MAX_SEGMENTS, True):
                        return NO_MEMORY
                    tick = arena.events[mark.event].tick
                    sorted &= count == 1 or tick >= map.segments[count - 1].start
                    map.segments[count].start = tick
                    map.segments[count].end = count  # order of arrival, for a stable sort
                    map.segments[count].tempo = data[mark.offset] << 16 | data[mark.offset + 1] << 8 | data[mark.offset + 2]
                    count += 1
                mark += 1
        map.declared = count > 1
    segments = map.segments
    if not sorted:
        qsort(segments + 1, count - 1, sizeof(TempoSegment), by_tick_and_arrival)

    segments[0].start = 0
    segments[0].seconds = 0
    segments[0].tempo = DEFAULT_TEMPO
    kept = 1
    for i in range(1, count):
        if i + 1 < count and segments[i + 1].start == segments[i].start:
            continue
        if segments[i].start == 0:
            segments[0].tempo = segments[i].tempo
        elif segments[i].tempo != segments[kept - 1].tempo:
            segments[kept].start = segments[i].start
            segments[kept].tempo = segments[i].tempo
            kept += 1
    for i in range(kept):
        segments[i].seconds_per_tick = segments[i].tempo / (1e6 * map.ticks_per_quarter)
        if i:
            segments[i - 1].end = segments[i].start
            segments[i].seconds = segments[i - 1].seconds + <double>(segments[i].start - segments[i - 1].start) * segments[i - 1].seconds_per_tick
    segments[kept - 1].end = INT64_MAX
    map.count = kept
    return USABLE


cdef int by_tick_and_arrival(const void *a, const void *b) noexcept nogil:
    cdef const TempoSegment *x = <const TempoSegment *>a
    cdef const TempoSegment *y = <const TempoSegment *>b
    if x.start != y.start:
        return -1 if x.start < y.start else 1
    return -1 if x.end < y.end else 1


cdef const TempoSegment *segment_at(const TempoMap *map, const TempoSegment *start, int64_t tick) noexcept nogil:
    """The segment that holds `tick`, at or after `start`: the next few are tried, then a binary search,
    so that many tracks over many tempo events do not multiply."""
    cdef const TempoSegment *low = start
    cdef const TempoSegment *high = map.segments + map.count - 1
    cdef const TempoSegment *middle
    cdef int i
    for i in range(4):
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
    """Beats per minute of microseconds a quarter. A tempo that an integer BPM encodes to within a
    microsecond is that integer: 130 BPM is written 461538 and would read 130.0001."""
    cdef double bpm = 60e6 / tempo
    cdef double whole = floor(bpm + 0.5)
    return whole if whole >= 1 and fabs(tempo - 60e6 / whole) <= 1 else bpm


cdef int by_bpm(const void *a, const void *b) noexcept nogil:
    cdef double x = (<const TempoShare *>a).bpm
    cdef double y = (<const TempoShare *>b).bpm
    return -1 if x < y else x > y


cdef Status tempo_facts(TempoMap *map, int64_t horizon, Facts *facts) noexcept nogil:
    """bpm and its relatives, over ticks 0 to `horizon` (the last note end).

    bpm is the median weighted by ticks, the lower one on a tie: a final ritardando does not move it.
    Its confidence is the share of the seconds in which the tempo is within 4 % of it.
    """
    cdef size_t i, n = 0
    cdef int64_t end, half = 0
    cdef double seconds, all_seconds = 0, near = 0, bpm = 0
    cdef const TempoSegment *segment
    facts.bpm = facts.bpm_mean = facts.bpm_min = facts.bpm_max = NAN
    facts.bpm_source = FROM_NOTHING
    facts.bpm_confidence = 0
    facts.tempo_changes = 0
    if not map.declared:
        return USABLE
    facts.bpm_source = FROM_TEMPO_MAP
    facts.tempo_changes = map.count - 1
    if reserve(<void **>&map.shares, &map.share_capacity, map.count, sizeof(TempoShare), MAX_SEGMENTS, False):
        return NO_MEMORY
    for i in range(map.count):
        segment = &map.segments[i]
        if i and segment.start >= horizon:
            break
        map.shares[i].bpm = bpm_of(segment.tempo)
        map.shares[i].ticks = min(segment.end, horizon) - segment.start
        n += 1
    if n > 1:
        qsort(map.shares, n, sizeof(TempoShare), by_bpm)
    for i in range(n):
        half += map.shares[i].ticks
        bpm = map.shares[i].bpm
        if half >= horizon - half:
            break
    facts.bpm = bpm
    facts.bpm_min = facts.bpm_mean = map.shares[0].bpm
    facts.bpm_max = map.shares[n - 1].bpm
    for i in range(n):
        segment = &map.segments[i]
        end = min(segment.end, horizon)
        seconds = <double>(end - segment.start) * segment.seconds_per_tick
        all_seconds += seconds
        if fabs(bpm_of(segment.tempo) / bpm - 1) <= 0.04:
            near += seconds
    facts.bpm_confidence = near / all_seconds if all_seconds > 0 else 1
    if facts.bpm_min != facts.bpm_max:
        facts.bpm_mean = <double>horizon / map.ticks_per_quarter * 60 / all_seconds
    return USABLE


cdef void tempo_trim(TempoMap *map) noexcept nogil:
    if map.capacity * sizeof(TempoSegment) + map.share_capacity * sizeof(TempoShare) > KEPT_BYTES:
        tempo_free(map)


cdef void tempo_free(TempoMap *map) noexcept nogil:
    free(map.segments)
    free(map.shares)
    memset(map, 0, sizeof(TempoMap))
