"""Bytes to events: one pass over a Standard MIDI File into an arena.

The byte loop never raises an exception and never allocates. It returns a status and an offset, from which raise_status()
makes the exception. Faults that leave something readable are repaired and recorded as issue bits; docs/policy.md has the
table. track.pyx parses the events of a track.
"""

from libc.stdint cimport int64_t, uint16_t, uint32_t
from libc.string cimport memcmp

from midiopt import limits
from midiopt.errors import Malformed, NotMidi, TooLarge

from midiopt.core.memory cimport trim
from midiopt.core.smf.arena cimport EventArena, arena_forget, arena_prepare, record_issue
from midiopt.core.smf.cursor cimport load_be16, load_be32, load_le32
from midiopt.core.smf.midi cimport (
    ALIEN_CHUNK, CHUNK_OVERRUN, EMPTY, FORMAT_0_TRACKS, FORMAT_2, HEADER_LENGTH, LEADING_JUNK, LOST_TRACK, MAX_LEADING_JUNK, MAX_TRACKS,
    MISSING_TRACKS, NO_HEADER, NO_MEMORY, NO_TRACKS, OFFSET_BITS, RMID, SHORT_HEADER, SMPTE, TICK_BITS, TICK_TOO_HIGH, TOO_MANY_BYTES,
    TOO_MANY_EVENTS, TOO_MANY_TRACKS, TRAILING_BYTES, UNKNOWN_FORMAT, USABLE, ZERO_DIVISION,
)
from midiopt.core.smf.riff cimport read_riff_title
from midiopt.core.smf.track cimport parse_track


cdef int raise_status(Status status, size_t offset, size_t max_events) except -1:
    """Raise the exception of a parse status; no other place does."""
    if status == EMPTY:
        raise NotMidi("the file is empty", offset)
    if status == NO_HEADER:
        raise NotMidi(f"no MThd header in the first {MAX_LEADING_JUNK} bytes", offset)
    if status == SHORT_HEADER:
        raise Malformed("the header is shorter than 6 bytes", offset)
    if status == ZERO_DIVISION:
        raise Malformed("the division is 0, so ticks have no duration", offset)
    if status == NO_TRACKS:
        raise Malformed("no track chunk", offset)
    if status == TOO_MANY_EVENTS:
        raise TooLarge(f"more than {max_events:,} events", offset)
    if status == TOO_MANY_TRACKS:
        raise TooLarge(f"more than {MAX_TRACKS:,} tracks", offset)
    if status == TOO_MANY_BYTES:
        raise TooLarge(f"more than {(<int64_t>1 << OFFSET_BITS) - 1:,} bytes", offset)
    if status == TICK_TOO_HIGH:
        raise TooLarge(f"a tick above {(<int64_t>1 << TICK_BITS) - 1:,}", offset)
    if status == NO_MEMORY:
        raise MemoryError(f"out of memory for the events at byte {offset}")
    return 0


def parse(data, EventArena into=None):
    """Parse the bytes of a MIDI file (any bytes-like object) into an EventArena: a new one, or ``into``, whose events are replaced.

    Raises NotMidi, Malformed or TooLarge (``into`` is then empty), and BufferError while a view from ``into.events()``
    lives.
    """
    cdef EventArena arena = EventArena() if into is None else into
    cdef size_t offset = 0
    cdef size_t max_events = limits.MAX_EVENTS
    cdef Status status
    cdef bytes file = data if type(data) is bytes else bytes(memoryview(data))  # marks point into bytes that never change
    arena.check_no_views()
    arena_forget(&arena.arena)
    trim(&arena.scratch)
    arena._data = file
    status = parse_smf(<const uint8_t *>file, len(file), &arena.arena, max_events, &offset)
    if status:
        arena_forget(&arena.arena)
        arena._data = None
        raise_status(status, offset, max_events)
    return arena


cdef Status parse_smf(const uint8_t *data, size_t size, Arena *arena, size_t max_events, size_t *offset) noexcept nogil:
    """Parse `size` bytes. If the result is not USABLE, `offset` is where in the bytes the reason is.

    `max_events` must be the same for all files of an arena.
    """
    cdef const uint8_t *end = data + size
    cdef const uint8_t *header
    cdef const uint8_t *chunk = NULL
    cdef Status status
    offset[0] = 0
    if size >> OFFSET_BITS:
        return TOO_MANY_BYTES
    status = arena_prepare(arena, size, max_events)
    if status:
        return status
    if size == 0:
        return EMPTY
    header = find_header(data, &end, arena)
    if header == NULL:
        return NO_HEADER
    status = read_header(data, header, end, arena, &chunk, offset)
    if not status:
        status = parse_chunks(data, chunk, end, arena, offset)
    if status:
        return status
    if arena.track_count == 0:
        return NO_TRACKS
    if arena.header.format == 0 and arena.track_count > 1:
        record_issue(arena, FORMAT_0_TRACKS, header + 8 - data)
    return USABLE


cdef const uint8_t *find_header(const uint8_t *data, const uint8_t **end, Arena *arena) noexcept nogil:
    """Find MThd at the start, in a RIFF RMID container, or after up to MAX_LEADING_JUNK other bytes (a MacBinary header has 128).

    The data chunk of a RIFF container sets `end`.
    """
    cdef const uint8_t *p = data
    cdef const uint8_t *header
    cdef size_t length
    if end[0] - p >= 4 and memcmp(p, b"MThd", 4) == 0:
        return p
    if end[0] - p >= 12 and memcmp(p, b"RIFF", 4) == 0 and memcmp(p + 8, b"RMID", 4) == 0:
        record_issue(arena, RMID, 0)
        read_riff_title(data, end[0] - data, &arena.header)
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


cdef Status read_header(
    const uint8_t *data, const uint8_t *header, const uint8_t *end, Arena *arena, const uint8_t **chunk, size_t *offset
) noexcept nogil:
    """Read the header chunk at `header`, and set `chunk` to the place where the first chunk after it should be."""
    cdef uint32_t length
    cdef uint16_t division
    offset[0] = header - data
    if end - header < 14 or load_be32(header + 4) < 6:
        return SHORT_HEADER
    length = load_be32(header + 4)
    division = load_be16(header + 12)
    arena.header.format = load_be16(header + 8)
    arena.header.declared_tracks = load_be16(header + 10)
    arena.header.division = division
    if arena.header.format > 2:
        record_issue(arena, UNKNOWN_FORMAT, header + 8 - data)
        arena.header.format = 1
    if arena.header.format == 2:
        record_issue(arena, FORMAT_2, header + 8 - data)
    if division & 0x8000:
        record_issue(arena, SMPTE, header + 12 - data)
    if division & (0xFF if division & 0x8000 else 0xFFFF) == 0:
        offset[0] = header + 12 - data
        return ZERO_DIVISION
    chunk[0] = header + 14
    if length > 6:
        record_issue(arena, HEADER_LENGTH, header + 4 - data)
        # Many writers put a wrong length before six good bytes: if a track follows these, ignore the length.
        if not is_chunk_header(chunk[0], end, b"MTrk") and length - 6 <= <size_t>(end - chunk[0]):
            chunk[0] += length - 6
    return USABLE


cdef inline bint is_chunk_header(const uint8_t *p, const uint8_t *end, const char *name) noexcept nogil:
    """Whether a complete chunk header with this name begins at `p`."""
    return end - p >= 8 and memcmp(p, name, 4) == 0


cdef inline bint is_plausible_chunk(const uint8_t *p, const uint8_t *end) noexcept nogil:
    """Whether a track begins at `p`, or an alien chunk: four letters, digits or spaces and a length that fits."""
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
    """The first chunk header with this name, or NULL."""
    while end - p >= 8:
        if memcmp(p, name, 4) == 0:
            return p
        p += 1
    return NULL


cdef Status parse_chunks(const uint8_t *data, const uint8_t *chunk, const uint8_t *end, Arena *arena, size_t *offset) noexcept nogil:
    """Parse the declared number of tracks; if 0 are declared, all tracks that follow one another.

    While tracks are missing and a length does not lead to a chunk header, the next MTrk is searched for from the end of
    the last track's events: that saves most of a file with one wrong length.
    """
    cdef size_t declared = arena.header.declared_tracks
    cdef const uint8_t *resume = chunk  # where the events of the last chunk really ended
    cdef const uint8_t *found
    cdef size_t length
    cdef Status status
    while declared == 0 or arena.track_count < declared:
        offset[0] = chunk - data
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
                    offset[0] = resume - data
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
