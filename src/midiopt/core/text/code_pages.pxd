from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint32_t

from midiopt.core.smf.midi cimport Status

cdef enum:  # the code pages; on equal costs, the first one is chosen
    SHIFT_JIS
    CP1252
    GBK
    CODE_PAGE_COUNT

cdef enum:
    MAX_UTF8_PER_BYTE = 3  # bytes of UTF-8 that a byte of a code page can become


cdef Status load_code_page(int page) noexcept nogil
cdef size_t decode_code_page(int page, const uint8_t *p, size_t length, uint8_t *out) noexcept nogil
cdef size_t put_utf8(uint32_t c, uint8_t *out) noexcept nogil
