"""The header of a song: where it begins, in a container or behind other bytes, and what it says."""

from libc.stddef cimport size_t
from libc.stdint cimport uint16_t
from libc.string cimport memcmp

from midiopt.core.smf.arena cimport record_issue
from midiopt.core.smf.chunks cimport (
    CHUNK_HEADER, FILE_HEADER, find_chunk, first_chunk, is_chunk_header, is_plausible_chunk, is_whole_track, song_end,
)
from midiopt.core.smf.cursor cimport load_be16, load_be32, load_le32
from midiopt.core.smf.midi cimport (
    FORMAT_2, FRAME_RATE, HEADER_LENGTH, LEADING_JUNK, MAX_LEADING_JUNK, RMID, RMID_SIZE, SHORT_HEADER, SMPTE, UNKNOWN_FORMAT, USABLE,
    ZERO_DIVISION,
)
from midiopt.core.smf.riff cimport read_riff_title


cdef const uint8_t *find_header(const uint8_t *data, const uint8_t **end, Arena *arena) noexcept nogil:
    """Find MThd at the start, in a RIFF RMID container, or after up to MAX_LEADING_JUNK other bytes (a MacBinary header has 128).

    The data chunk of a RIFF container sets `end`.
    """
    cdef const uint8_t *p = data
    cdef const uint8_t *header
    cdef const uint8_t *song
    cdef const uint8_t *behind
    cdef size_t length
    if end[0] - p >= 4 and memcmp(p, b"MThd", 4) == 0:
        return p
    if end[0] - p >= 12 and memcmp(p, b"RIFF", 4) == 0 and memcmp(p + 8, b"RMID", 4) == 0:
        record_issue(arena, RMID, 0)
        read_riff_title(data, 12, end[0] - data, &arena.header)
        p += 12
        while end[0] - p >= 8:
            length = load_le32(p + 4)
            if memcmp(p, b"data", 4) == 0:
                p += 8
                song = rmid_song_end(data, p, length, end[0], arena)
                if song != p + length and arena.header.riff_title_length == 0:  # the next chunk is not where the size leads
                    behind = song if is_riff_chunk(song, end[0]) else song + 1
                    read_riff_title(data, min(behind, end[0]) - data, end[0] - data, &arena.header)
                end[0] = song
                if is_chunk_header(p, end[0], b"MThd"):
                    return p
                break
            if length + 8 > <size_t>(end[0] - p):
                break
            p += length + 8
            if length & 1 and not is_riff_chunk(p, end[0]):
                p += 1  # chunks are padded to even lengths, but not by every program
    header = find_chunk(p, min(end[0], p + MAX_LEADING_JUNK + 8), b"MThd")
    if header != NULL:
        record_issue(arena, LEADING_JUNK, 0)
    return header


cdef Status read_header(
    const uint8_t *data, const uint8_t *header, const uint8_t *end, Arena *arena, const uint8_t **chunk, size_t *offset
) noexcept nogil:
    """Read the header chunk at `header`, and set `chunk` to the place where the first chunk after it should be."""
    cdef uint16_t division
    offset[0] = header - data
    if end - header < FILE_HEADER:
        return SHORT_HEADER
    chunk[0] = first_chunk(header, end)
    if chunk[0] == NULL:
        return SHORT_HEADER
    division = load_be16(header + 12)
    arena.header.format = load_be16(header + 8)
    arena.header.declared_tracks = load_be16(header + 10)
    if division & 0x8000:
        division = mend_frame_rate(arena, division, header + 12 - data)
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
    if load_be32(header + 4) != 6:
        record_issue(arena, HEADER_LENGTH, header + 4 - data)
    return USABLE


cdef uint16_t mend_frame_rate(Arena *arena, uint16_t division, size_t offset) noexcept nogil:
    """The SMPTE division, whose high byte is a negative frame rate.

    If there is no such rate, both bytes may have been negated as one number: E1 B0. A negated 24 or 29 looks like 25 or 30, with so
    many ticks as nobody uses: E7 B0 is 24 frames of 80 ticks, not 25 of 176.
    """
    cdef uint16_t negated = <uint16_t>(0x10000 - division)
    cdef bint exists = is_frame_rate(0x100 - (division >> 8))
    cdef bint is_negated = is_frame_rate(negated >> 8) and negated & 0xFF
    if exists and not (is_negated and is_resolution(negated & 0xFF)):
        return division
    record_issue(arena, FRAME_RATE, offset)
    return <uint16_t>((0x100 - (negated >> 8)) << 8 | (negated & 0xFF)) if is_negated else division


cdef inline bint is_frame_rate(int frames) noexcept nogil:
    """Whether film or video has so many frames a second; 29 stands for 29.97."""
    return frames == 24 or frames == 25 or frames == 29 or frames == 30


cdef inline bint is_resolution(int ticks) noexcept nogil:
    """Whether programs divide a frame into so many ticks: quarter frames, the bits of 8 to 100 and milliseconds."""
    return ticks == 4 or ticks == 8 or ticks == 10 or ticks == 40 or ticks == 80 or ticks == 100


cdef const uint8_t *rmid_song_end(
    const uint8_t *data, const uint8_t *header, size_t length, const uint8_t *end, Arena *arena
) noexcept nogil:
    """The end of the song in an RMID container: where the size of its data leads, unless its tracks lead further and fit."""
    cdef const uint8_t *song
    if length > <size_t>(end - header):
        return end
    song = song_end(header, end)
    while song != NULL and is_rest_of_song(song, end):
        song += CHUNK_HEADER + load_be32(song + 4)
    if song != NULL and song > header + length:
        record_issue(arena, RMID_SIZE, header - 4 - data)
        return song
    if length == 0 or (song == NULL and not is_riff_end(header + length, end) and not is_riff_end(header + length + (length & 1), end)):
        record_issue(arena, RMID_SIZE, header - 4 - data)
        return end
    return header + length


cdef inline bint is_rest_of_song(const uint8_t *p, const uint8_t *end) noexcept nogil:
    """Whether a chunk of the XF format or a track that the header does not count begins at `p`, and is whole."""
    cdef bint is_xf = is_chunk_header(p, end, b"XFIH") or is_chunk_header(p, end, b"XFKM")
    return is_plausible_chunk(p, end) if is_xf else is_whole_track(p, end)


cdef inline bint is_riff_end(const uint8_t *p, const uint8_t *end) noexcept nogil:
    """Whether the data of a RIFF container may end at `p`: another chunk begins there, or nothing is left for one."""
    return end - p < 8 or is_riff_chunk(p, end)


cdef inline bint is_riff_chunk(const uint8_t *p, const uint8_t *end) noexcept nogil:
    """Whether a chunk of a RIFF container with a printable name begins at `p`, and fits."""
    cdef int i
    if end - p < 8 or load_le32(p + 4) > <size_t>(end - p - 8):
        return False
    for i in range(4):
        if not 0x20 <= p[i] < 0x7F:
            return False
    return True
