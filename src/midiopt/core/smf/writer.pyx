"""Events to bytes: a valid Standard MIDI File of the events in an arena, under running status.

What no valid file can hold is left out or completed, as docs/policy.md lists it; all else is read back as it was.
"""

from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy

from midiopt.errors import TooLarge

from midiopt.core.smf.chunks cimport CHUNK_HEADER, FILE_HEADER
from midiopt.core.smf.midi cimport (
    MAX_VARINT, META, META_END_OF_TRACK, META_MARKER, META_TIME_SIGNATURE, SYSEX, SYSEX_PACKET, Event, Mark, data_length, status_of,
)
from midiopt.core.smf.sysex cimport is_whole_sysex

cdef enum:
    MESSAGE_BYTES = 4 + 3  # at most, of a channel message or a filler with its delta time
    MARK_BYTES = 4 + 2 + 4 + 4  # of another event, beside its data: delta time, status and type, length, what completes a time signature
    TIME_SIGNATURE_BYTES = 4

cdef bytes write_smf(const WrittenSong *song):
    """The file."""
    cdef uint64_t bound = FILE_HEADER
    cdef uint8_t *start
    cdef uint8_t *out
    cdef size_t i
    for i in range(song.track_count):
        bound += track_bound(song, &song.tracks[i])
    if bound > <uint32_t>-1:
        raise TooLarge(f"the file might need more than {<uint32_t>-1:,} bytes")
    bound += chunks_size(song)
    start = <uint8_t *>malloc(bound)
    if start == NULL:
        raise MemoryError()
    try:
        out = write_header(start, song)
        for i in range(song.track_count):
            out = write_track(out, song, &song.tracks[i])
        out = write_chunks(out, song)
        return start[: out - start]
    finally:
        free(start)


cdef uint64_t chunks_size(const WrittenSong *song) noexcept nogil:
    """Bytes of the chunks of other kinds."""
    cdef uint64_t bytes = 0
    cdef size_t i
    for i in range(song.chunk_count):
        bytes += CHUNK_HEADER + song.chunk_sizes[i]
    return bytes


cdef uint64_t track_bound(const WrittenSong *song, const TrackRows *track) noexcept nogil:
    """Bytes that suffice for a track."""
    cdef uint64_t bytes = CHUNK_HEADER + MESSAGE_BYTES + track.count * MESSAGE_BYTES  # with End of Track
    cdef const Event *event
    cdef size_t i
    if track.count == 0:
        return bytes
    for i in range(track.mark_count):
        bytes += MARK_BYTES + song.marks[track.first_mark + i].length
    if track.rows != NULL:
        for i in range(track.count):
            event = event_at(song, track, i)
            if status_of(event.message) >= SYSEX:
                bytes += MARK_BYTES + song.marks[event.mark].length
    return bytes + event_at(song, track, track.count - 1).tick // MAX_VARINT * MESSAGE_BYTES


cdef inline const Event *event_at(const WrittenSong *song, const TrackRows *track, size_t i) noexcept nogil:
    return &song.events[track.rows[i] if track.rows != NULL else track.first_event + i]


cdef uint8_t *write_header(uint8_t *out, const WrittenSong *song) noexcept nogil:
    """Write the header, and return the place behind it. Format 0 with several tracks becomes format 1."""
    memcpy(out, b"MThd\0\0\0\x06", CHUNK_HEADER)
    out = store_be16(out + CHUNK_HEADER, 1 if song.format == 0 and song.track_count > 1 else song.format)
    return store_be16(store_be16(out, <uint32_t>song.track_count), song.division)


cdef uint8_t *write_track(uint8_t *out, const WrittenSong *song, const TrackRows *track) noexcept nogil:
    """Write a track, and return the place behind it."""
    cdef uint8_t *start = out
    cdef const Event *event
    cdef const Mark *mark
    cdef int64_t tick = 0, last = 0
    cdef uint32_t running = 0, message, status, same
    cdef size_t i
    out += CHUNK_HEADER
    for i in range(track.count):
        event = event_at(song, track, i)
        message = event.message
        status = status_of(message)
        last = event.tick
        if status < SYSEX:
            out = write_delta(out, last - tick)
            same = status == running
            message >>= 8 * same
            memcpy(out, &message, 4)  # what is too much is overwritten; without branches, 1.3 times the speed
            out += 1 - same + data_length(status)
            running = status
        else:
            mark = &song.marks[event.mark]
            if is_left_out(mark):
                continue
            out = write_delta(out, last - tick)
            if status == META:
                out = write_meta(out, mark, song.data)
            else:
                out = write_sysex(out, mark, song.data, is_read_back(song, track, i))
            running = 0
        tick = last
    out = write_empty_meta(write_delta(out, last - tick), META_END_OF_TRACK)
    memcpy(start, b"MTrk", 4)
    store_be32(start + 4, <uint32_t>(out - start - CHUNK_HEADER))
    return out


cdef inline bint is_left_out(const Mark *mark) noexcept nogil:
    """Whether no valid file can hold this meta or system-exclusive event, or it is End of Track, which is written last."""
    return mark.length > MAX_VARINT or (mark.status == META and (not mark.valid or mark.type == META_END_OF_TRACK))


cdef uint8_t *write_meta(uint8_t *out, const Mark *mark, const uint8_t *data) noexcept nogil:
    cdef uint32_t length = mark.length
    out[0] = META
    out[1] = mark.type
    if mark.type == META_TIME_SIGNATURE and length != TIME_SIGNATURE_BYTES:
        out[2] = TIME_SIGNATURE_BYTES
        memcpy(out + 5, b"\x18\x08", 2)  # 24 clocks per click, 8 thirty-seconds per quarter: the values of nearly all files
        memcpy(out + 3, data + mark.offset, min(length, <uint32_t>TIME_SIGNATURE_BYTES))
        return out + 3 + TIME_SIGNATURE_BYTES
    out = write_varint(out + 2, length)
    memcpy(out, data + mark.offset, length)
    return out + length


cdef uint8_t *write_sysex(uint8_t *out, const Mark *mark, const uint8_t *data, bint is_read_back) noexcept nogil:
    """Write a message or packet; a message that would be read otherwise becomes an escape, F7, that sends the same bytes."""
    if is_read_back:
        out[0] = mark.status
        out = write_varint(out + 1, mark.length)
    else:
        out[0] = SYSEX_PACKET
        out = write_varint(out + 1, mark.length + 1)
        out[0] = SYSEX
        out += 1
    memcpy(out, data + mark.offset, mark.length)
    return out + mark.length


cdef bint is_read_back(const WrittenSong *song, const TrackRows *track, size_t i) noexcept nogil:
    """Whether a system-exclusive event is read with its length, which find_sysex_end() doubts where no F7, or one more, is in a message.

    It looks for the next byte above 127. If that is F7, it must end the message, or begin a packet that continues it.
    """
    cdef const Mark *mark = &song.marks[event_at(song, track, i).mark]
    cdef const uint8_t *p = song.data + mark.offset
    cdef const Event *next = NULL
    cdef int64_t delta
    cdef size_t k
    if mark.status == SYSEX_PACKET or is_whole_sysex(p, mark.length) or mark.length == MAX_VARINT:
        return True
    for k in range(mark.length):
        if p[k] >= 0x80:
            return p[k] != SYSEX_PACKET
    delta = event_at(song, track, track.count - 1).tick - event_at(song, track, i).tick
    for k in range(i + 1, track.count):
        next = event_at(song, track, k)
        if status_of(next.message) < SYSEX or not is_left_out(&song.marks[next.mark]):
            delta = next.tick - event_at(song, track, i).tick
            break
        next = NULL
    if delta > 0x7F:
        return first_varint_byte(delta) != SYSEX_PACKET
    return next == NULL or status_of(next.message) != SYSEX_PACKET or continues(&song.marks[next.mark], song.data)


cdef inline bint continues(const Mark *mark, const uint8_t *data) noexcept nogil:
    """Whether a packet has data that a message can have, and at most the F7 at its end."""
    cdef const uint8_t *p = data + mark.offset
    cdef size_t k
    for k in range(mark.length):
        if p[k] >= 0x80:
            return k == mark.length - 1 and p[k] == SYSEX_PACKET
    return mark.length > 0


cdef inline uint32_t first_varint_byte(int64_t value) noexcept nogil:
    """Of a value above 127, or of the filler that comes before one that is too large."""
    cdef int64_t rest = min(value, <int64_t>MAX_VARINT)
    while rest > 0x7F:
        rest >>= 7
    return <uint32_t>rest | 0x80


cdef inline uint8_t *write_empty_meta(uint8_t *out, uint8_t type) noexcept nogil:
    out[0] = META
    out[1] = type
    out[2] = 0
    return out + 3


cdef inline uint8_t *write_delta(uint8_t *out, int64_t delta) noexcept nogil:
    """Write a delta time; one of more than 28 bits begins with fillers: empty markers, of which no fact is made."""
    if delta < 1 << 14:
        out[0] = <uint8_t>(0x80 | delta >> 7)
        out += delta > 0x7F
        out[0] = delta & 0x7F
        return out + 1
    while delta > MAX_VARINT:
        out = write_empty_meta(write_varint(out, MAX_VARINT), META_MARKER)
        delta -= MAX_VARINT
    return write_varint(out, <uint32_t>delta)


cdef inline uint8_t *write_varint(uint8_t *out, uint32_t value) noexcept nogil:
    """Write a variable-length quantity of at most 28 bits, in as few bytes as it needs."""
    if value >= 1 << 21:
        out[0] = 0x80 | value >> 21
        out += 1
    if value >= 1 << 14:
        out[0] = 0x80 | (value >> 14 & 0x7F)
        out += 1
    if value >= 1 << 7:
        out[0] = 0x80 | (value >> 7 & 0x7F)
        out += 1
    out[0] = value & 0x7F
    return out + 1


cdef uint8_t *write_chunks(uint8_t *out, const WrittenSong *song) noexcept nogil:
    """Write the chunks of other kinds behind the tracks, where all programs ignore what they do not know."""
    cdef const uint8_t *chunk
    cdef size_t i
    for i in range(song.chunk_count):
        chunk = song.data + song.chunks_at[i]
        if memcmp(chunk, b"MThd", 4) != 0:
            memcpy(out, chunk, CHUNK_HEADER + song.chunk_sizes[i])
            store_be32(out + 4, song.chunk_sizes[i])
            out += CHUNK_HEADER + song.chunk_sizes[i]
    return out


cdef inline uint8_t *store_be16(uint8_t *out, uint32_t value) noexcept nogil:
    out[0] = <uint8_t>(value >> 8)
    out[1] = <uint8_t>value
    return out + 2


cdef inline void store_be32(uint8_t *out, uint32_t value) noexcept nogil:
    store_be16(store_be16(out, value >> 16), value & 0xFFFF)
