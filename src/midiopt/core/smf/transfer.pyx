"""Files that a program took for text: line ends that were changed, and bytes that were saved as UTF-8 or UTF-16.

Such a change is undone only if the outcome proves it: before, the chunk lengths do not fit; after, every one fits to the byte
and every track ends with End of Track. Or, where lengths are wrong besides, the events: the parser finds faults in them before, and
none after. A good file that happens to hold 0D 0A, or to be UTF-8, is never touched.

The steps may have been taken more than once, as by a download in text mode of a file that had been uploaded in text mode.
"""

from libc.stdint cimport uint32_t
from libc.string cimport memchr, memcmp, memcpy

from midiopt.core.memory cimport TRANSFER_BLOCK, reserve_block
from midiopt.core.smf.chunks cimport CHUNK_HEADER, FILE_HEADER, find_chunk, first_chunk, is_chunk_header, is_whole_track, song_end
from midiopt.core.smf.cursor cimport load_be32
from midiopt.core.smf.midi cimport MAX_LEADING_JUNK

cdef enum:
    MAX_RESTORED_BYTES = 1 << 30
    LINE_FEED = 0x0A
    CARRIAGE_RETURN = 0x0D
    CP1252_FIRST = 0x80  # the bytes that Windows-1252 and Latin-1 read as different characters: 80 to 9F
    USER_DEFINED = 0xF700  # the browsers' character set x-user-defined has the byte 80 as U+F780, and so on

# The ways in which the files of collections are changed, the commonest first: c = every 0A became 0D 0A, m = every 0D became
# 0D 0A, u = saved as UTF-8, w = saved as UTF-16. They are undone in this order of letters.
cdef const char *PLANS = b"c\0u\0cc\0cu\0m\0uu\0ccu\0mu\0w\0wc\0"

# U+20AC and so on: the characters of Windows-1252 from 80 to 9F. 0 where it has none; then browsers keep the byte.
cdef uint32_t[32] CP1252
CP1252[:] = [
    0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017D, 0,
    0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E, 0x0178,
]  # fmt: skip


cdef Restored undo_transfer(const uint8_t *data, size_t size, Scratch *scratch, Evidence evidence) noexcept nogil:
    """The bytes as they were before the transfer, in memory of `scratch`, for a file whose lengths do not fit.

    By anything but the lengths, the outcome is a guess that the events must prove. Other bytes may have come before the header since.
    """
    cdef Restored restored = undo_behind(data, size, 0, scratch, evidence)
    cdef const uint8_t *header
    if restored.data == NULL:
        header = find_chunk(data, data + min(size, <size_t>MAX_LEADING_JUNK + 8), b"MThd")
        if header != NULL and header != data:
            restored = undo_behind(header, size - (header - data), header - data, scratch, evidence)
    return restored


cdef Restored undo_behind(const uint8_t *data, size_t size, size_t before, Scratch *scratch, Evidence evidence) noexcept nogil:
    """Undo the transfer of `size` bytes; the `before` bytes in front of them stay as they are."""
    cdef Restored restored
    cdef const char *plan = PLANS
    cdef const char *step
    cdef uint8_t *copy
    restored.data = NULL
    restored.size = restored.first_change = 0
    restored.text_mode = restored.unicode = False
    if not (
        is_line_feed_changed(data, size) or is_carriage_return_changed(data, size) or is_utf8_text(data, size) or is_utf16_text(data, size)
    ):
        return restored
    if evidence == LENGTHS and fits(data, size):
        return restored
    copy = <uint8_t *>reserve_block(scratch, TRANSFER_BLOCK, before + size, 1, MAX_RESTORED_BYTES, False)
    if copy == NULL:
        return restored
    memcpy(copy, data - before, before)
    copy += before
    while plan[0]:
        memcpy(copy, data, size)
        restored.size = size
        step = plan
        while step[0] and undo_step(step[0], copy, &restored.size):
            step += 1
        if step[0] == 0 and is_likely(copy, restored.size, evidence):
            restored.first_change = before + common_prefix(data, copy, restored.size)
            restored.data = copy - before
            restored.size += before
            restored.unicode = plan[0] == b"w" or (step - 1)[0] == b"u"
            restored.text_mode = (step - 1)[0] == b"c" or plan[0] == b"c" or plan[0] == b"m"
            return restored
        while plan[0]:
            plan += 1
        plan += 1
    return restored


cdef bint undo_step(char step, uint8_t *bytes, size_t *size) noexcept nogil:
    """Undo one step in place; False if the bytes show that it was not taken."""
    if step == b"c":
        if not is_line_feed_changed(bytes, size[0]):
            return False
        size[0] = remove_from_pairs(bytes, size[0], CARRIAGE_RETURN)
        return True
    if step == b"m":
        if not is_carriage_return_changed(bytes, size[0]):
            return False
        size[0] = remove_from_pairs(bytes, size[0], LINE_FEED)
        return True
    return decode_utf8(bytes, size) if step == b"u" else decode_utf16(bytes, size)


cdef bint fits(const uint8_t *data, size_t size) noexcept nogil:
    """Whether every length in these bytes fits, those of tracks that the header does not count, too."""
    cdef const uint8_t *end = data + size
    cdef const uint8_t *header = find_chunk(data, data + min(size, <size_t>MAX_LEADING_JUNK + 8), b"MThd")
    cdef const uint8_t *chunk
    if header == NULL:
        return False
    chunk = song_end(header, end)
    while chunk != NULL and is_whole_track(chunk, end):
        chunk += CHUNK_HEADER + load_be32(chunk + 4)
    return chunk != NULL and not is_chunk_header(chunk, end, b"MTrk")


cdef bint is_likely(const uint8_t *data, size_t size, Evidence evidence) noexcept nogil:
    """Whether these bytes may be those from before the transfer. What still is UTF-8 is not."""
    if evidence == LENGTHS:
        return fits(data, size)
    if evidence == HEADER_AND_LINE_FEEDS and is_line_feed_changed(data, size):
        return False
    return has_first_track(data, size) and not is_utf8_text(data, size)


cdef bint has_first_track(const uint8_t *data, size_t size) noexcept nogil:
    """Whether a track follows the header."""
    cdef const uint8_t *end = data + size
    cdef const uint8_t *chunk
    cdef const uint8_t *header = find_chunk(data, data + min(size, <size_t>MAX_LEADING_JUNK + 8), b"MThd")
    if header == NULL or end - header < FILE_HEADER:
        return False
    chunk = first_chunk(header, end)
    return chunk != NULL and is_chunk_header(chunk, end, b"MTrk")


cdef bint is_line_feed_changed(const uint8_t *data, size_t size) noexcept nogil:
    """Whether there are line feeds, and a carriage return before each: the first other one ends the search."""
    cdef const uint8_t *end = data + size
    cdef const uint8_t *p = <const uint8_t *>memchr(data, LINE_FEED, size)
    if p == NULL:
        return False
    while p != NULL:
        if p == data or (p - 1)[0] != CARRIAGE_RETURN:
            return False
        p += 1
        p = <const uint8_t *>memchr(p, LINE_FEED, end - p)
    return True


cdef bint is_carriage_return_changed(const uint8_t *data, size_t size) noexcept nogil:
    """Whether there are carriage returns, and a line feed behind each."""
    cdef const uint8_t *end = data + size
    cdef const uint8_t *p = <const uint8_t *>memchr(data, CARRIAGE_RETURN, size)
    if p == NULL:
        return False
    while p != NULL:
        p += 1
        if p == end or p[0] != LINE_FEED:
            return False
        p = <const uint8_t *>memchr(p, CARRIAGE_RETURN, end - p)
    return True


cdef size_t count_line_ends(const uint8_t *data, size_t size) noexcept nogil:
    """Number of pairs 0D 0A."""
    cdef const uint8_t *end = data + size
    cdef const uint8_t *p = <const uint8_t *>memchr(data, CARRIAGE_RETURN, size)
    cdef size_t count = 0
    while p != NULL:
        p += 1
        count += p < end and p[0] == LINE_FEED
        p = <const uint8_t *>memchr(p, CARRIAGE_RETURN, end - p)
    return count


cdef size_t remove_from_pairs(uint8_t *bytes, size_t size, uint8_t removed) noexcept nogil:
    """Leave out one byte, 0D or 0A, of each pair 0D 0A; returns the new size."""
    cdef size_t i, out = 0
    for i in range(size):
        if bytes[i] == removed:
            if removed == CARRIAGE_RETURN and i + 1 < size and bytes[i + 1] == LINE_FEED:
                continue
            if removed == LINE_FEED and i and bytes[i - 1] == CARRIAGE_RETURN:
                continue
        bytes[out] = bytes[i]
        out += 1
    return out


cdef bint is_utf8_text(const uint8_t *data, size_t size) noexcept nogil:
    """Whether these bytes are the UTF-8 of characters that one byte each could stand for. Most files fail at their first byte above 7F.

    The last one may be cut, as the file is.
    """
    cdef size_t i = 0, before
    cdef uint8_t byte
    cdef bint changed = False
    while i < size:
        before = i
        if data[i] < 0x80:
            i += 1
        elif read_character(data, size, &i, &byte):
            changed = True
        else:
            return changed and is_cut_character(data + before, size - before)
    return changed


cdef inline bint is_cut_character(const uint8_t *p, size_t left) noexcept nogil:
    """Whether the last `left` bytes are the first ones of a character of two or three."""
    return (left == 1 and 0xC2 <= p[0] < 0xF0) or (left == 2 and p[0] & 0xF0 == 0xE0 and p[1] & 0xC0 == 0x80)


cdef bint is_utf16_text(const uint8_t *data, size_t size) noexcept nogil:
    """Whether these bytes are the mark of UTF-16, and behind it characters that one byte each could stand for; the last one may be cut."""
    cdef size_t i
    cdef uint8_t byte
    if size < 4 or not ((data[0] == 0xFF and data[1] == 0xFE) or (data[0] == 0xFE and data[1] == 0xFF)):
        return False
    for i in range(2, size - 1, 2):
        if not byte_of(utf16_unit(data + i, data[0] == 0xFF), &byte):
            return False
    return True


cdef inline uint32_t utf16_unit(const uint8_t *p, bint is_little_endian) noexcept nogil:
    return p[0] | <uint32_t>p[1] << 8 if is_little_endian else p[1] | <uint32_t>p[0] << 8


cdef bint decode_utf16(uint8_t *bytes, size_t *size) noexcept nogil:
    """Turn UTF-16 back into one byte a character, in place; False if that cannot be."""
    cdef size_t i
    cdef bint is_little_endian = bytes[0] == 0xFF
    if not is_utf16_text(bytes, size[0]):
        return False
    for i in range(2, size[0] - 1, 2):
        byte_of(utf16_unit(bytes + i, is_little_endian), &bytes[i // 2 - 1])
    size[0] = size[0] // 2 - 1
    return True


cdef bint decode_utf8(uint8_t *bytes, size_t *size) noexcept nogil:
    """Turn UTF-8 back into one byte a character, in place; False if that cannot be."""
    cdef size_t i = 0, out = 0
    cdef uint8_t byte
    if not is_utf8_text(bytes, size[0]):
        return False
    if size[0] >= 3 and memcmp(bytes, b"\xef\xbb\xbf", 3) == 0:
        i = 3
    while i < size[0]:
        byte = bytes[i]
        if byte < 0x80:
            i += 1
        elif not read_character(bytes, size[0], &i, &byte):
            break  # it is cut
        bytes[out] = byte
        out += 1
    size[0] = out
    return True


cdef bint read_character(const uint8_t *data, size_t size, size_t *at, uint8_t *byte) noexcept nogil:
    """The byte that the character of two or three bytes at `at` stands for; False if it stands for none.

    U+FEFF in front is the mark of UTF-8.
    """
    cdef const uint8_t *p = data + at[0]
    cdef size_t left = size - at[0]
    cdef uint32_t code
    if left >= 2 and 0xC2 <= p[0] < 0xE0 and p[1] & 0xC0 == 0x80:
        code = <uint32_t>(p[0] & 0x1F) << 6 | (p[1] & 0x3F)
        at[0] += 2
    elif left >= 3 and p[0] & 0xF0 == 0xE0 and p[1] & 0xC0 == 0x80 and p[2] & 0xC0 == 0x80:
        code = <uint32_t>(p[0] & 0x0F) << 12 | <uint32_t>(p[1] & 0x3F) << 6 | (p[2] & 0x3F)
        at[0] += 3
    else:
        return False
    return byte_of(code, byte) or (code == 0xFEFF and p == data)


cdef inline bint byte_of(uint32_t code, uint8_t *byte) noexcept nogil:
    """The byte of a character, as Latin-1 or Windows-1252 has it, or as the browsers' x-user-defined has it; False if none is."""
    cdef int i
    byte[0] = <uint8_t>code
    if code <= 0xFF or (USER_DEFINED | 0x80) <= code <= (USER_DEFINED | 0xFF):
        return True
    for i in range(32):
        if code == CP1252[i]:
            byte[0] = <uint8_t>(CP1252_FIRST + i)
            return True
    return False


cdef size_t common_prefix(const uint8_t *a, const uint8_t *b, size_t size) noexcept nogil:
    """Number of bytes up to the first difference. `b` is the shorter one, of `size` bytes."""
    cdef size_t i = 0
    while i < size and a[i] == b[i]:
        i += 1
    return i
