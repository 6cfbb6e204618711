from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint32_t

from midiopt.core.smf.midi cimport Status

cdef enum:  # the code pages; on equal costs, the first one is chosen
    SHIFT_JIS
    CP1252
    GBK
    CP1251
    EUC_KR
    BIG5
    KOI8_R
    CP1250
    CP437
    MAC_ROMAN
    CODE_PAGE_COUNT

cdef enum:
    FIRST_LEAD = 0x80  # tables of pairs begin with 80 40
    FIRST_TRAIL = 0x40
    TRAILS = 0x100 - FIRST_TRAIL
    MAX_UTF8_PER_BYTE = 3  # bytes of UTF-8 that a byte of a code page can become


cdef inline uint32_t pair_index(uint32_t lead, uint32_t trail) noexcept nogil:
    """The place of a pair in a table of pairs."""
    return (lead - FIRST_LEAD) * TRAILS + trail - FIRST_TRAIL


cdef bint has_double_bytes(int page) noexcept nogil
cdef bint is_pair(int page, uint32_t lead, uint32_t trail) noexcept nogil
cdef Status load_code_page(int page) noexcept nogil
cdef size_t decode_code_page(int page, const uint8_t *p, size_t length, uint8_t *out) noexcept nogil
cdef size_t put_utf8(uint32_t c, uint8_t *out) noexcept nogil
