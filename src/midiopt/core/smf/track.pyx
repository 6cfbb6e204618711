"""The events of one track.

Two functions take turns: parse_common_events() takes the events that make up nearly all of a file (a channel message after
a delta time of one or two bytes), with one bounds check per event, and leaves the first event that is uncommon in any
respect untouched; parse_event() then parses that one with every check.
"""

from libc.stdint cimport int64_t, uint32_t

from midiopt.core.smf.arena cimport add_mark, add_track, record_issue
from midiopt.core.smf.cursor cimport VARINT_CUT, VARINT_LONG, Cursor, VarintStatus, load_le16, read_varint, remaining
from midiopt.core.smf.filling cimport drop_filled_events, has_filling
from midiopt.core.smf.midi cimport (
    BAD_STATUS, BYTES_AFTER_END, DATA_OVER_127, EVENT_CUT, FILLED_BLOCK, LONG_VARINT, MAX_TRACKS, META, META_END_OF_TRACK,
    NO_END_OF_TRACK, NO_MEMORY, PROGRAM_CHANGE, RUNNING_STATUS_CROSSED, STRAY_DATA, SYSEX, SYSEX_LENGTH, SYSEX_PACKET, TICK_BITS,
    TICK_TOO_HIGH, TOO_MANY_EVENTS, TOO_MANY_TRACKS, USABLE, Event, Issue, Mark, Track, data_length, has_time_signature, meta_is_valid,
)
from midiopt.core.smf.sysex cimport MAX_MISCOUNT, find_sysex_end, is_manufacturer, is_whole_sysex

# By status: one step, where bits that are shifted take four. Parsing is 1.02 to 1.04 times as fast.
cdef uint8_t[256] HAS_TWO_DATA_BYTES
cdef int _i
for _i in range(256):
    HAS_TWO_DATA_BYTES[_i] = 0x80 <= _i < 0xC0 or 0xE0 <= _i < 0xF0

cdef enum EventResult:
    EVENT_PARSED  # the cursor is behind the event
    TRACK_ENDED  # likewise, and it was End of Track
    TRACK_CUT  # the track ends within the event, where the cursor stays
    OUT_OF_MARKS  # memory ran out

cdef struct TrackState:
    Arena *arena
    const uint8_t *data  # start of the file
    Event *out  # next free event of the arena
    Event *full  # end of the arena
    int64_t tick
    uint32_t running  # running status, 0 for none
    uint32_t cancelled  # running status that a meta or system-exclusive event has cancelled, 0 for none


cdef Status parse_track(const uint8_t *data, const uint8_t **resume, const uint8_t *end, Arena *arena) noexcept nogil:
    """Parse the events of one track from `resume` to `end`; `resume` is set to the place where they stopped."""
    cdef Cursor c
    cdef TrackState s
    cdef Status status = USABLE
    cdef EventResult result = EVENT_PARSED
    cdef const uint8_t *start
    cdef const uint8_t *filling
    cdef Event *first
    cdef int64_t tick
    cdef Track *track = add_track(arena)
    if track == NULL:
        return TOO_MANY_TRACKS if arena.track_count == MAX_TRACKS else NO_MEMORY
    track.first_event = arena.event_count
    track.first_mark = arena.mark_count
    c.at = resume[0]
    c.end = end
    s.arena = arena
    s.data = data
    s.out = arena.events + arena.event_count
    s.full = arena.events + arena.event_capacity
    s.tick = 0
    s.running = s.cancelled = 0
    while result == EVENT_PARSED:
        start, first, tick = c.at, s.out, s.tick
        parse_common_events(&c, &s)
        if has_filling(start, c.at, &filling):
            record_issue(arena, FILLED_BLOCK, filling - data)
            s.out = drop_filled_events(first, s.out, tick, &tick)
            s.tick -= tick
        if c.at == end:
            break
        if s.out == s.full:
            status = TOO_MANY_EVENTS
            break
        result = parse_event(&c, &s)
    if result == OUT_OF_MARKS:
        status = NO_MEMORY
    if result != TRACK_ENDED:
        record_issue(arena, NO_END_OF_TRACK, c.at - data)
    elif c.at < end:
        record_issue(arena, BYTES_AFTER_END, c.at - data)
    arena.event_count = s.out - arena.events
    track.event_count = arena.event_count - track.first_event
    track.mark_count = arena.mark_count - track.first_mark
    track.end_tick = (s.out - 1).tick if track.event_count else 0
    # Ticks never go back, so the last one tells. Here they are below 2**60: 2**32 bytes hold fewer deltas of 28 bits.
    if not status and track.end_tick >> TICK_BITS:
        status = TICK_TOO_HIGH
    resume[0] = c.at
    return status


cdef inline void parse_common_events(Cursor *c, TrackState *s) noexcept nogil:
    """Parse channel messages of one or two data bytes after delta times of one or two bytes, up to the first other event.

    The state is kept in local variables, that is in registers, until the loop ends.
    """
    cdef const uint8_t *p = c.at
    cdef const uint8_t *q
    cdef const uint8_t *safe = c.end - 8 if c.end - p > 8 else p  # the longest common event has 5 bytes
    cdef Event *out = s.out
    cdef int64_t tick = s.tick
    cdef uint32_t running = s.running, delta, status, pair
    if (s.full - out) * 2 < safe - p:
        safe = p + (s.full - out) * 2  # the shortest event has 2 bytes: here the arena may be full first
    while p < safe:
        delta = p[0]
        q = p + 1
        if delta >= 0x80:
            if q[0] >= 0x80:
                break
            delta = (delta & 0x7F) << 7 | q[0]
            q += 1
        status = running
        if q[0] >= 0x80:
            status = q[0]
            q += 1
        pair = load_le16(q)
        if HAS_TWO_DATA_BYTES[status]:
            q += 2
        elif status >> 4 == 0xD:  # channel pressure has one data byte
            pair &= 0xFF
            q += 1
        else:  # no running status, program change, system message
            break
        if pair & 0x8080:
            break
        running = status
        tick += delta
        p = q
        out.tick = tick
        out.mark = 0
        out.message = status | pair << 8
        out += 1
    if out != s.out:
        s.cancelled = 0
    s.running = running
    s.tick = tick
    s.out = out
    c.at = p


cdef EventResult parse_event(Cursor *c, TrackState *s) noexcept nogil:
    """Parse one event of any kind with every check. There is room for it in the arena, and a byte at the cursor."""
    cdef const uint8_t *start = c.at
    cdef uint32_t delta, status
    cdef VarintStatus read = read_varint(c, &delta)
    if read == VARINT_CUT:
        return cut_track(c, s, start)
    if read == VARINT_LONG:
        record_issue(s.arena, LONG_VARINT, start - s.data)
    s.tick += delta
    if c.at == c.end:
        return cut_track(c, s, start)
    status = read_status(c, s)
    if status == 0:
        return TRACK_CUT
    s.out.tick = s.tick
    s.out.mark = 0
    if status < SYSEX:
        return parse_channel_message(c, s, status, start)
    if status == META or status == SYSEX or status == SYSEX_PACKET:
        return parse_meta_or_sysex(c, s, status, start)
    skip_system_message(c, s, status)
    return EVENT_PARSED


cdef inline EventResult cut_track(Cursor *c, TrackState *s, const uint8_t *start) noexcept nogil:
    """Leave out the event at `start`, which the end of the track cuts."""
    record_issue(s.arena, EVENT_CUT, start - s.data)
    c.at = start
    return TRACK_CUT


cdef inline uint32_t read_status(Cursor *c, TrackState *s) noexcept nogil:
    """The status of the event at the cursor, written or running; 0 if only data bytes without a status are left."""
    if c.at[0] < 0x80:
        if s.running:
            return s.running
        if s.cancelled:
            record_issue(s.arena, RUNNING_STATUS_CROSSED, c.at - s.data)
            s.running = s.cancelled
            return s.running
        record_issue(s.arena, STRAY_DATA, c.at - s.data)
        while c.at < c.end and c.at[0] < 0x80:
            c.at += 1
        if c.at == c.end:
            return 0
    c.at += 1
    return (c.at - 1)[0]


cdef inline EventResult parse_channel_message(Cursor *c, TrackState *s, uint32_t status, const uint8_t *start) noexcept nogil:
    cdef uint32_t length = data_length(status)
    cdef uint32_t pair
    if remaining(c) < length:
        return cut_track(c, s, start)
    pair = c.at[0] | (<uint32_t>c.at[1] << 8 if length == 2 else 0)
    if pair & 0x8080:
        record_issue(s.arena, DATA_OVER_127, c.at - s.data)
        pair = min(pair & 0xFF, 127) | min(pair >> 8, 127) << 8
    s.out.message = status | pair << 8
    s.running = status
    s.cancelled = 0
    if status & 0xF0 == PROGRAM_CHANGE and add_event_mark(c, s, status, 0, 1) == NULL:
        return OUT_OF_MARKS
    c.at += length
    s.out += 1
    return EVENT_PARSED


cdef inline EventResult parse_meta_or_sysex(Cursor *c, TrackState *s, uint32_t status, const uint8_t *start) noexcept nogil:
    cdef Mark *mark
    cdef VarintStatus read
    cdef uint8_t type = 0
    cdef uint32_t length = 0
    cdef Issue issue
    cdef const uint8_t *length_at
    if status == META:
        if c.at == c.end:
            return cut_track(c, s, start)
        type = c.at[0]
        c.at += 1
    s.out.message = status | <uint32_t>type << 8
    length_at = c.at
    read = read_varint(c, &length)
    if read == VARINT_LONG:
        record_issue(s.arena, LONG_VARINT, start - s.data)
    if status == SYSEX and read != VARINT_CUT and (length > remaining(c) or not is_whole_sysex(c.at, length)):
        length = mend_sysex(c, s, length_at, length, start)
    if read == VARINT_CUT or length > remaining(c):
        return cut_track(c, s, start)
    mark = add_event_mark(c, s, status, type, length)
    if mark == NULL:
        return OUT_OF_MARKS
    if status == META and not meta_is_valid(type, c.at, length, &issue):
        record_issue(s.arena, issue, start - s.data)
        mark.valid = has_time_signature(type, c.at, length)
    if s.running:
        s.cancelled = s.running
        s.running = 0
    c.at += length
    s.out += 1
    return TRACK_ENDED if status == META and type == META_END_OF_TRACK else EVENT_PARSED


cdef uint32_t mend_sysex(Cursor *c, TrackState *s, const uint8_t *length_at, uint32_t length, const uint8_t *start) noexcept nogil:
    """The true length of a system-exclusive message; the cursor goes back to `length_at` if no length is written there."""
    cdef const uint8_t *end = find_sysex_end(c.at, length, c.end, s.running if s.running else s.cancelled)
    if end == NULL or end == c.at + length:
        return length
    record_issue(s.arena, SYSEX_LENGTH, start - s.data)
    if length == 0 and is_manufacturer(c.at[0]):
        return end - c.at
    if c.at - length_at == 1 and not c.at + length - MAX_MISCOUNT <= end <= c.at + length + MAX_MISCOUNT:
        c.at = length_at
    return end - c.at


cdef inline Mark *add_event_mark(const Cursor *c, TrackState *s, uint8_t status, uint8_t type, uint32_t length) noexcept nogil:
    """Add the mark of the event at `out`, whose data begin at the cursor; NULL when memory ran out."""
    cdef Mark *mark = add_mark(s.arena)
    if mark == NULL:
        return NULL
    mark.event = s.out - s.arena.events
    mark.offset = c.at - s.data
    mark.length = length
    mark.status = status
    mark.type = type
    mark.valid = 1
    s.out.mark = s.arena.mark_count - 1
    return mark


cdef inline void skip_system_message(Cursor *c, TrackState *s, uint32_t status) noexcept nogil:
    """Skip a system message, which does not belong in a file, and its data: F1 and F3 have one byte, F2 has two.

    Its delta time counts, and running status survives it.
    """
    cdef int length = 2 if status == 0xF2 else 1 if status == 0xF1 or status == 0xF3 else 0
    record_issue(s.arena, BAD_STATUS, c.at - 1 - s.data)
    while length and c.at < c.end and c.at[0] < 0x80:
        c.at += 1
        length -= 1
