from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memchr

from midiopt.core.smf.midi cimport NON_REAL_TIME, REAL_TIME, ROLAND, SYSEX_PACKET, YAMAHA

cdef enum:
    MAX_MISCOUNT = 2  # bytes by which a written length is wrong; more, and it is no length


cdef const uint8_t *find_sysex_end(const uint8_t *at, uint32_t length, const uint8_t *end, uint32_t running) noexcept nogil


cdef inline bint is_whole_sysex(const uint8_t *p, uint32_t length) noexcept nogil:
    """Whether these are the data of a whole message: the last byte, and no other, is F7."""
    return length > 0 and p[length - 1] == SYSEX_PACKET and (length == 1 or memchr(p, SYSEX_PACKET, length - 1) == NULL)


cdef inline bint is_manufacturer(uint8_t byte) noexcept nogil:
    """Whether a 0 before this byte is a length. The numbers of other manufacturers begin with 0, and none of these is behind it."""
    return byte == ROLAND or byte == YAMAHA or byte == NON_REAL_TIME or byte == REAL_TIME
