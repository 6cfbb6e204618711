# The chunks of a file: their headers, and where their lengths lead.

from libc.stddef cimport size_t
from libc.stdint cimport uint8_t
from libc.string cimport memcmp

from midiopt.core.smf.cursor cimport load_be16, load_be32

cdef enum:
    CHUNK_HEADER = 8  # bytes: name and length
    FILE_HEADER = 14  # bytes of MThd up to the division


cdef inline bint is_chunk_header(const uint8_t *p, const uint8_t *end, const char *name) noexcept nogil:
    """Whether a complete chunk header with this name begins at `p`."""
    return end - p >= CHUNK_HEADER and memcmp(p, name, 4) == 0


cdef inline bint is_plausible_chunk(const uint8_t *p, const uint8_t *end) noexcept nogil:
    """Whether a track begins at `p`, or an alien chunk: four letters, digits or spaces and a length that fits."""
    cdef int i
    if is_chunk_header(p, end, b"MTrk"):
        return True
    if end - p < CHUNK_HEADER or load_be32(p + 4) > <size_t>(end - p - CHUNK_HEADER):
        return False
    for i in range(4):
        if not (p[i] == 0x20 or 0x30 <= p[i] <= 0x39 or 0x41 <= p[i] <= 0x5A or 0x61 <= p[i] <= 0x7A):
            return False
    return True


cdef inline bint is_whole_track(const uint8_t *chunk, const uint8_t *end) noexcept nogil:
    """Whether the length of a track fits into the file, and leads to End of Track."""
    cdef size_t length
    if not is_chunk_header(chunk, end, b"MTrk"):
        return False
    length = load_be32(chunk + 4)
    return 4 <= length <= <size_t>(end - chunk - CHUNK_HEADER) and memcmp(chunk + CHUNK_HEADER + length - 3, b"\xff\x2f\0", 3) == 0


cdef inline bint is_filling(const uint8_t *p, const uint8_t *end) noexcept nogil:
    """Whether there are no bytes, or all are the same, as in a block that was filled up."""
    return p >= end or memcmp(p, p + 1, end - p - 1) == 0


cdef inline bint is_track_behind(const uint8_t *found, const uint8_t *p, const uint8_t *end) noexcept nogil:
    """Whether at `found` a track is behind the bytes from `p` on: it is whole, or they are filling. One before `p` must be whole."""
    return is_whole_track(found, end) or (p <= found and is_chunk_header(found, end, b"MTrk") and is_filling(p, found))


cdef inline bint is_song_header(const uint8_t *p, const uint8_t *end) noexcept nogil:
    """Whether MThd with a length of 6 begins at `p`, and a track behind it."""
    return is_chunk_header(p, end, b"MThd") and load_be32(p + 4) == 6 and is_chunk_header(p + FILE_HEADER, end, b"MTrk")


cdef inline const uint8_t *find_chunk(const uint8_t *p, const uint8_t *end, const char *name) noexcept nogil:
    """The first chunk header with this name, or NULL."""
    while end - p >= CHUNK_HEADER:
        if memcmp(p, name, 4) == 0:
            return p
        p += 1
    return NULL


cdef inline const uint8_t *find_song(const uint8_t *p, const uint8_t *end) noexcept nogil:
    """The first header of a song, with a length of 6; or NULL."""
    p = find_chunk(p, end, b"MThd")
    while p != NULL and load_be32(p + 4) != 6:
        p = find_chunk(p + 4, end, b"MThd")
    return p


cdef inline const uint8_t *next_track(const uint8_t *p, const uint8_t *end) noexcept nogil:
    """The next track or song at or after `p`, else the end."""
    cdef const uint8_t *found = find_chunk(p, end, b"MTrk")
    cdef const uint8_t *song = find_song(p, end if found == NULL else found)
    if song != NULL:
        return song
    return end if found == NULL else found


cdef inline const uint8_t *first_chunk(const uint8_t *header, const uint8_t *end) noexcept nogil:
    """Where the first chunk behind MThd begins, of which FILE_HEADER bytes exist; NULL if the header is too short.

    Many writers put a wrong length before six good bytes: if a track follows these, or the length leads past the end, it is ignored.
    """
    cdef size_t length = load_be32(header + 4)
    cdef const uint8_t *chunk = header + FILE_HEADER
    if length == 6 or is_chunk_header(chunk, end, b"MTrk"):
        return chunk
    if length < 6:
        return NULL
    return chunk + (length - 6) if length - 6 <= <size_t>(end - chunk) else chunk


cdef inline const uint8_t *song_end(const uint8_t *header, const uint8_t *end) noexcept nogil:
    """Where the last track ends if all lengths of the song at `header` fit to the byte, and every track ends with End of Track; else NULL.

    A header that counts 0 tracks has all that follow up to the end of the bytes, or to another header; one that counts too many, up to
    the end of the bytes.
    """
    cdef const uint8_t *chunk
    cdef size_t declared, tracks = 0, length
    if end - header < FILE_HEADER or load_be16(header + 12) == 0:
        return NULL
    chunk = first_chunk(header, end)
    if chunk == NULL:
        return NULL
    declared = load_be16(header + 10)
    while tracks < declared or declared == 0:
        if declared == 0 and tracks and is_chunk_header(chunk, end, b"MThd"):
            break
        if chunk == end and tracks:
            break
        if not is_plausible_chunk(chunk, end):
            return NULL
        length = load_be32(chunk + 4)
        if length > <size_t>(end - chunk - CHUNK_HEADER):
            return NULL
        if memcmp(chunk, b"MTrk", 4) == 0:
            tracks += 1
            if length < 4 or memcmp(chunk + CHUNK_HEADER + length - 3, b"\xff\x2f\0", 3) != 0:
                return NULL
        chunk += CHUNK_HEADER + length
    return chunk
