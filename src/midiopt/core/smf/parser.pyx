"""Bytes to events: one pass over a Standard MIDI File into an arena.

The byte loop never raises and never asks for memory. It returns a status and an offset, from which
raise_status() makes the exception. Faults that leave something readable are repaired and noted as
issue bits; docs/policy.md has the table.
"""

from libc.string cimport memcmp

from midiopt.errors import Malformed, NotMidi, TooLarge
from midiopt.limits import MAX_EVENTS

from midiopt.core.smf.arena cimport EventArena, add_mark, add_track, arena_begin, arena_trim, record_issue
from midiopt.core.smf.cursor cimport VARINT_CUT, VARINT_LONG, Cursor, VarintStatus, remaining, load_be16, load_be32, load_le32, load_le16, read_varint
from midiopt.core.smf.midi cimport *
from libc.stdint cimport int64_t, uint32_t


cdef enum:
    TWO_DATA_BYTES = 1 << 0x8 | 1 << 0x9 | 1 << 0xA | 1 << 0xB | 1 << 0xE  # by the high nibble of a status


cdef int raise_status(Status status, size_t at, size_t max_events) except -1:
    """The one place where a parse status becomes an exception."""
    if status == EMPTY:
        raise NotMidi("the file is empty", at)
    if status == NO_HEADER:
        raise NotMidi(f"no MThd header in the first {MAX_LEADING_JUNK} bytes", at)
    if status == SHORT_HEADER:
        raise Malformed("the header is shorter than 6 bytes", at)
    if status == ZERO_DIVISION:
        raise Malformed("the division is 0, so ticks have no length", at)
    if status == NO_TRACKS:
        raise Malformed("no track chunk", at)
    if status == TOO_MANY_EVENTS:
        raise TooLarge(f"more than {max_events:,} events", at)
    if status == TOO_MANY_TRACKS:
        raise TooLarge(f"more than {MAX_TRACKS:,} tracks", at)
    if status == NO_MEMORY:
        raise MemoryError(f"no memory for the events at byte {at}")
    return 0


def parse(bytes data not None, EventArena into=None):
    """Parse a MIDI file into an EventArena: a new one, or ``into``, whose events are replaced.

    Raises NotMidi, Malformed or TooLarge (``into`` is then empty), and BufferError while a view from
    ``into.events()`` lives.
    """
    cdef EventArena arena = EventArena() if into is None else into
    cdef size_t at = 0
    cdef size_t max_events = MAX_EVENTS
    cdef Status status
    arena.check_no_views()
    arena_trim(&arena.arena)
    arena._data = data
    status = parse_smf(<const uint8_t *>data, len(data), &arena.arena, max_events, &at)
    if status:
        arena_begin(&arena.arena, 0, max_events)
        arena._data = None
        raise_status(status, at, max_events)
    return arena


cdef Status parse_smf(const uint8_t *data, size_t size, Arena *arena, size_t max_events, size_t *at) noexcept nogil:
    """Parse `size` bytes. When the result is not USABLE, `at` is the offset of the reason.

    `max_events` must be the same for all files of an arena.
    """
    cdef const uint8_t *end = data + size
    cdef const uint8_t *header
    cdef const uint8_t *chunk
    cdef Status status = arena_begin(arena, size, max_events)
    at[0] = 0
    if status:
        return status
    if size == 0:
        return EMPTY
    header = find_header(data, &end, arena)
    if header == NULL:
        return NO_HEADER
    at[0] = header - data
    if end - header < 14 or load_be32(header + 4) < 6:
        return SHORT_HEADER
    arena.header.format = load_be16(header + 8)
    arena.header.declared_tracks = load_be16(header + 10)
    arena.header.division = load_be16(header + 12)
    if arena.header.format > 2:
        record_issue(arena, UNKNOWN_FORMAT, header + 8 - data)
        arena.header.format = 1
    if arena.header.format == 2:
        record_issue(arena, FORMAT_2, header + 8 - data)
    if arena.header.division & 0x8000:
        record_issue(arena, SMPTE, header + 12 - data)
    if arena.header.division & (0xFF if arena.header.division & 0x8000 else 0xFFFF) == 0:
        at[0] = header + 12 - data
        return ZERO_DIVISION
    chunk = header + 14
    if load_be32(header + 4) > 6:
        record_issue(arena, HEADER_LENGTH, header + 4 - data)
        # Many writers put a wrong length before six good bytes: believe the track, not the number.
        if not is_chunk_header(chunk, end, b"MTrk") and load_be32(header + 4) - 6 <= <size_t>(end - chunk):
            chunk += load_be32(header + 4) - 6
    status = parse_chunks(data, chunk, end, arena, at)
    if status:
        return status
    if arena.track_count == 0:
        return NO_TRACKS
    if arena.header.format == 0 and arena.track_count > 1:
        record_issue(arena, FORMAT_0_TRACKS, header + 8 - data)
    return USABLE


cdef inline bint is_chunk_header(const uint8_t *p, const uint8_t *end, const char *name) noexcept nogil:
    """Whether a whole chunk header with this name stands here."""
    return end - p >= 8 and memcmp(p, name, 4) == 0


cdef inline bint is_plausible_chunk(const uint8_t *p, const uint8_t *end) noexcept nogil:
    """A track, or an alien chunk: four letters, digits or spaces and a length that fits."""
    cdef int i
    if is_chunk_header(p, end, b"MTrk"):
        return True
    if end - p < 8 or load_be32(p + 4) > <size_t>(end - p - 8):
        return False
    for i in range(4):
        if not (p[i] == 0x20 or 0x30 <= p[i] <= 0x39 or 0x41 <= p[i] <= 0x5A or 0x61 <= p[i] <= 0x7A):
            return False
    return True


cdef const uint8_t *find_chunk(const uint8_t *p, const uint8_t *end, const char *name) noexcept nogil:
    """The first place where a chunk header with this name stands, or NULL."""
    while end - p >= 8:
        if memcmp(p, name, 4) == 0:
            return p
        p += 1
    return NULL


cdef const uint8_t *find_header(const uint8_t *data, const uint8_t **end, Arena *arena) noexcept nogil:
    """MThd at the start, inside a RIFF RMID container (whose data chunk then sets the end), or after
    up to MAX_LEADING_JUNK bytes of something else (MacBinary's 128, for one)."""
    cdef const uint8_t *p = data
    cdef const uint8_t *header
    cdef size_t length
    if end[0] - p >= 4 and memcmp(p, b"MThd", 4) == 0:
        return p
    if end[0] - p >= 12 and memcmp(p, b"RIFF", 4) == 0 and memcmp(p + 8, b"RMID", 4) == 0:
        record_issue(arena, RMID, 0)
        p += 12
        while end[0] - p >= 8:
            length = load_le32(p + 4)
            if memcmp(p, b"data", 4) == 0:
                p += 8
                if length < <size_t>(end[0] - p):
                    end[0] = p + length
                if is_chunk_header(p, end[0], b"MThd"):
                    return p
                break
            if length + 8 + (length & 1) > <size_t>(end[0] - p):
                break
            p += length + 8 + (length & 1)  # chunks are padded to even lengths
    header = find_chunk(p, min(end[0], p + MAX_LEADING_JUNK + 8), b"MThd")
    if header != NULL:
        record_issue(arena, LEADING_JUNK, 0)
    return header


cdef Status parse_chunks(const uint8_t *data, const uint8_t *chunk, const uint8_t *end, Arena *arena, size_t *at) noexcept nogil:
    """Read tracks until as many as declared are there (0 declared: while chunks follow one another).

    While some are outstanding and a length leads to no chunk header, the next MTrk is searched for
    from the end of the last track's events: that rescues most of a file with one wrong length.
    """
    cdef size_t declared = arena.header.declared_tracks
    cdef const uint8_t *resume = chunk  # where the last chunk's content really ended
    cdef const uint8_t *found
    cdef size_t length
    cdef Status status
    while declared == 0 or arena.track_count < declared:
        at[0] = chunk - data
        if is_plausible_chunk(chunk, end):
            length = load_be32(chunk + 4)
            resume = chunk + 8
            if memcmp(chunk, b"MTrk", 4) == 0:
                if length > <size_t>(end - resume):
                    record_issue(arena, CHUNK_OVERRUN, chunk + 4 - data)
                    length = end - resume
                chunk = resume + length
                status = parse_track(data, &resume, chunk, arena)
                if status:
                    at[0] = resume - data
                    return status
            else:
                record_issue(arena, ALIEN_CHUNK, chunk - data)
                chunk = resume + length
            continue
        if declared == 0 and arena.track_count:
            break
        found = find_chunk(resume, end, b"MTrk")
        if found == NULL:
            break
        record_issue(arena, LOST_TRACK, chunk - data)
        chunk = found
    if arena.track_count < declared:
        record_issue(arena, MISSING_TRACKS, end - data)
    elif chunk < end:
        record_issue(arena, TRAILING_BYTES, chunk - data)
    return USABLE


cdef Status parse_track(const uint8_t *data, const uint8_t **resume, const uint8_t *end, Arena *arena) noexcept nogil:
    """Parse one track's events from `resume` to `end`; `resume` becomes the place where they stopped.

    Two loops: the inner one takes the events that make up nearly all of a file (delta time of one or
    two bytes, channel message) and leaves an event untouched when anything about it is uncommon; the
    outer one then takes that event with every check.
    """
    cdef Cursor c
    cdef const uint8_t *p = resume[0]
    cdef const uint8_t *q
    cdef const uint8_t *safe
    cdef Event *out = arena.events + arena.event_count
    cdef Event *full = arena.events + arena.event_capacity
    cdef Track *track = add_track(arena)
    cdef Mark *mark
    cdef int64_t tick = 0
    cdef uint32_t running = 0  # running status
    cdef uint32_t crossed = 0  # the one that a meta or system-exclusive event has cancelled
    cdef uint32_t delta, pair, status, length, issue
    cdef VarintStatus read
    cdef bint ended = False
    if track == NULL:
        return TOO_MANY_TRACKS if arena.track_count == MAX_TRACKS else NO_MEMORY
    track.first_event = arena.event_count
    track.first_mark = arena.mark_count
    c.end = end
    while True:
        safe = end - 8 if end - p > 8 else p  # the longest common event is 5 bytes
        if (full - out) * 2 < safe - p:
            safe = p + (full - out) * 2  # the shortest is 2: here the arena may end first
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
            if TWO_DATA_BYTES >> (status >> 4) & 1:
                q += 2
            elif status >> 4 == 0xD:  # channel pressure has one
                pair &= 0xFF
                q += 1
            else:  # no running status, program change, system message
                break
            if pair & 0x8080:
                break
            running = status
            crossed = 0
            tick += delta
            p = q
            out.tick = tick
            out.mark = 0
            out.message = status | pair << 8
            out += 1

        # One event with every check.
        if p == end:
            break
        if out == full:
            resume[0] = p
            return TOO_MANY_EVENTS
        c.at = p
        read = read_varint(&c, &delta)
        if read == VARINT_CUT:
            record_issue(arena, EVENT_CUT, p - data)
            break
        if read == VARINT_LONG:
            record_issue(arena, LONG_VARINT, p - data)
        tick += delta
        if c.at == end:
            record_issue(arena, EVENT_CUT, p - data)
            break
        status = running
        if c.at[0] < 0x80:
            if not running and crossed:
                record_issue(arena, RUNNING_STATUS_CROSSED, c.at - data)
                status = running = crossed
            elif not running:
                record_issue(arena, STRAY_DATA, c.at - data)
                while c.at < end and c.at[0] < 0x80:
                    c.at += 1
                if c.at == end:
                    p = end
                    break
        if c.at[0] >= 0x80:
            status = c.at[0]
            c.at += 1
        out.tick = tick
        out.mark = 0
        if status < SYSEX:
            length = 1 if status & 0xE0 == PROGRAM_CHANGE else 2
            if remaining(&c) < length:
                record_issue(arena, EVENT_CUT, p - data)
                break
            pair = c.at[0] | (<uint32_t>c.at[1] << 8 if length == 2 else 0)
            if pair & 0x8080:
                record_issue(arena, DATA_OVER_127, c.at - data)
                pair = min(pair & 0xFF, 127) | min(pair >> 8, 127) << 8
            out.message = status | pair << 8
            running = status
            crossed = 0
            if status & 0xF0 == PROGRAM_CHANGE:
                mark = add_mark(arena)
                if mark == NULL:
                    return NO_MEMORY
                mark.event = out - arena.events
                mark.offset = c.at - data
                mark.length = 1
                mark.status = status
                mark.type = 0
                mark.valid = 1
                out.mark = arena.mark_count - 1
            c.at += length
            p = c.at
            out += 1
            continue
        if status != META and status != SYSEX and status != SYSEX_PACKET:
            # A system message has no place in a file: pass over it and its data (F1 and F3 have one
            # byte, F2 two), keep its delta time and the running status.
            record_issue(arena, BAD_STATUS, c.at - 1 - data)
            length = 2 if status == 0xF2 else 1 if status == 0xF1 or status == 0xF3 else 0
            while length and c.at < end and c.at[0] < 0x80:
                c.at += 1
                length -= 1
            p = c.at
            continue
        out.message = status
        if status == META:
            if c.at == end:
                record_issue(arena, EVENT_CUT, p - data)
                break
            out.message |= <uint32_t>c.at[0] << 8
            c.at += 1
        read = read_varint(&c, &length)
        if read == VARINT_LONG:
            record_issue(arena, LONG_VARINT, p - data)
        if read == VARINT_CUT or length > remaining(&c):
            record_issue(arena, EVENT_CUT, p - data)
            break
        mark = add_mark(arena)
        if mark == NULL:
            return NO_MEMORY
        mark.event = out - arena.events
        mark.offset = c.at - data
        mark.length = length
        mark.status = status
        mark.type = data1_of(out.message)
        mark.valid = 1
        if status == META and not meta_is_valid(mark.type, c.at, length, &issue):
            record_issue(arena, issue, p - data)
            mark.valid = 0
        out.mark = arena.mark_count - 1
        out += 1
        if running:
            crossed = running
            running = 0
        p = c.at + length
        if status == META and mark.type == META_END_OF_TRACK:
            ended = True
            break

    if not ended:
        record_issue(arena, NO_END_OF_TRACK, p - data)
    elif p < end:
        record_issue(arena, BYTES_AFTER_END, p - data)
    arena.event_count = out - arena.events
    track.event_count = arena.event_count - track.first_event
    track.mark_count = arena.mark_count - track.first_mark
    track.end_tick = (out - 1).tick if track.event_count else 0
    resume[0] = p
    return USABLE
