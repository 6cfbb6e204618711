# Bounds-checked reads of bytes: at the end they report failure instead of reading past it.

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy

from midiopt.core.smf.midi cimport MAX_VARINT

cdef struct Cursor:
    const uint8_t *at  # next byte
    const uint8_t *end  # one past the last

cdef enum VarintStatus:
    VARINT_CUT  # the bytes ended within it; the cursor has not moved
    VARINT_READ
    VARINT_LONG  # read, but longer than four bytes


cdef inline uint32_t load_be16(const uint8_t *p) noexcept nogil:
    return <uint32_t>p[0] << 8 | p[1]


cdef inline uint32_t load_be32(const uint8_t *p) noexcept nogil:
    return <uint32_t>p[0] << 24 | <uint32_t>p[1] << 16 | <uint32_t>p[2] << 8 | p[3]


cdef inline uint32_t load_le32(const uint8_t *p) noexcept nogil:
    return <uint32_t>p[3] << 24 | <uint32_t>p[2] << 16 | <uint32_t>p[1] << 8 | p[0]


cdef inline uint32_t load_le16(const uint8_t *p) noexcept nogil:
    """One load on little-endian machines, the only ones that are supported."""
    cdef uint16_t pair
    memcpy(&pair, p, 2)
    return pair


cdef inline size_t remaining(const Cursor *c) noexcept nogil:
    """Number of bytes from the cursor to the end."""
    return c.end - c.at


cdef inline VarintStatus read_varint(Cursor *c, uint32_t *value) noexcept nogil:
    """Read a variable-length quantity.

    One longer than four bytes is read to its end. Leading zeros do no harm; a value of more than 28 bits (usually a
    negative number of the program that wrote it) becomes 0.
    """
    cdef const uint8_t *p = c.at
    cdef uint32_t total = 0
    cdef uint8_t byte
    cdef bint over = False
    while p < c.end:
        over |= total > MAX_VARINT >> 7
        byte = p[0]
        total = total << 7 | (byte & 0x7F)
        p += 1
        if byte < 0x80:
            value[0] = 0 if over else total
            over = p - c.at > 4
            c.at = p
            return VARINT_LONG if over else VARINT_READ
    return VARINT_CUT
