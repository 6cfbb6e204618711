"""Where a system-exclusive message ends whose length is missing or wrong.

Some programs write F0 7E 7F 09 01 F7 as on the cable, without a length, so that 7E would be read as one and swallow the first
notes; others count the F0, or miscount by one or two. The data of such a message have no byte above 127 but the F7 that ends
it. Two places can be its end: that F7, and where the length leads. The events that follow decide. Of 8,060 messages in real
files, four are mended by this, and all others have an F7 as their last byte and no other.
"""

from libc.stddef cimport size_t

from midiopt.core.smf.cursor cimport VARINT_READ, Cursor, read_varint, remaining
from midiopt.core.smf.midi cimport META, META_END_OF_TRACK, SYSEX, data_length

cdef enum:
    LOOKAHEAD = 16  # events: so many without a fault are no coincidence


cdef const uint8_t *find_sysex_end(const uint8_t *at, uint32_t length, const uint8_t *end, uint32_t running) noexcept nogil:
    """The end of the message (F0) whose data are at `at`, behind the length; NULL if there is none before `end`.

    It is for those that are not is_whole_sysex(): also the first of several packets, which has no F7. `running` is the status
    that the track had before, 0 for none.
    """
    cdef const uint8_t *written = at + length if length <= <size_t>(end - at) else NULL
    cdef const uint8_t *found = at
    cdef int after_found, after_written = -1
    while found < end and found[0] < 0x80:
        found += 1
    if found == end or found[0] != SYSEX_PACKET:
        return written
    found += 1
    if written != NULL:
        if written < found and is_packet_next(written, end):
            return written
        after_written = count_good_events(written, end, running)
    after_found = count_good_events(found, end, running)
    if after_found > after_written or (after_found == LOOKAHEAD and not is_empty_packet(found, written, end)):
        return found
    return written


cdef inline bint is_empty_packet(const uint8_t *found, const uint8_t *written, const uint8_t *end) noexcept nogil:
    """Whether the F7 before `found`, read as the event behind `written`, is an empty packet, which is a possible event.

    Other packets there are no continuation. Further from `written`, all up to the F7 would be running status that crosses the message,
    and the F7 part of a delta time. So is a status behind `found` where the event behind the packet has none.
    """
    cdef Cursor c
    cdef uint32_t delta
    if found != written + 2 or found[0] != 0:
        return False
    c.at = found + 1
    c.end = end
    return read_varint(&c, &delta) == VARINT_READ and c.at < end and c.at[0] >= 0x80


cdef bint is_packet_next(const uint8_t *at, const uint8_t *end) noexcept nogil:
    """Whether the next event continues a message: F7 with a length that fits, and data that a message can have."""
    cdef Cursor c
    cdef uint32_t value, i
    c.at = at
    c.end = end
    if read_varint(&c, &value) != VARINT_READ or c.at == end or c.at[0] != SYSEX_PACKET:
        return False
    c.at += 1
    if read_varint(&c, &value) != VARINT_READ or value == 0 or value > remaining(&c):
        return False
    for i in range(value - 1):
        if c.at[i] >= 0x80:
            return False
    return c.at[value - 1] < 0x80 or c.at[value - 1] == SYSEX_PACKET


cdef int count_good_events(const uint8_t *at, const uint8_t *end, uint32_t running) noexcept nogil:
    """The number of events from `at` on that have no fault, up to LOOKAHEAD, which End of Track counts as, and the end of the bytes."""
    cdef Cursor c
    cdef uint32_t value, status, length
    cdef uint8_t type
    cdef int count
    c.at = at
    c.end = end
    for count in range(LOOKAHEAD):
        if c.at == end:  # of a track without End of Track
            return LOOKAHEAD if count else 0
        if read_varint(&c, &value) != VARINT_READ or c.at == end:
            return count
        status = running
        if c.at[0] >= 0x80:
            status = c.at[0]
            c.at += 1
        if status == 0:
            return count
        if status < SYSEX:
            length = data_length(status)
            if remaining(&c) < length or c.at[0] >= 0x80 or c.at[length - 1] >= 0x80:
                return count
            running = status
            c.at += length
        elif status == META:
            if c.at == end or c.at[0] >= 0x80:
                return count
            type = c.at[0]
            c.at += 1
            if read_varint(&c, &length) != VARINT_READ or length > remaining(&c):
                return count
            if type == META_END_OF_TRACK:
                return LOOKAHEAD if length == 0 else count
            c.at += length
        elif not skip_sysex(&c, status):
            return count
    return LOOKAHEAD


cdef bint skip_sysex(Cursor *c, uint32_t status) noexcept nogil:
    """Advance behind a message or packet, by its length, or to its F7 where the length is wrong, too; False if it has no end."""
    cdef const uint8_t *first = c.at
    cdef uint32_t length
    if status != SYSEX and status != SYSEX_PACKET:
        return False
    if read_varint(c, &length) == VARINT_READ and length <= remaining(c):
        if status == SYSEX_PACKET or (length and c.at[length - 1] == SYSEX_PACKET):
            c.at += length
            return True
    if first == c.end or first[0] < 0x80:  # it may be data, in a message without a length
        c.at = first
    while c.at < c.end and c.at[0] < 0x80:
        c.at += 1
    if c.at == c.end or c.at[0] != SYSEX_PACKET:
        return False
    c.at += 1
    return True
