from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint16_t, uint64_t

cdef enum:  # on a tie, the first one is chosen
    SHIFT_JIS
    CP1252
    GBK
    CHARSET_COUNT

cdef struct CharsetCosts:  # of the texts of a file that are not UTF-8
    uint64_t bits[CHARSET_COUNT]


cdef bint is_utf8(const uint8_t *p, size_t length) noexcept nogil
cdef void score_text(CharsetCosts *costs, const uint8_t *p, size_t length) noexcept nogil
cdef int best_charset(const CharsetCosts *costs) noexcept nogil
cdef uint16_t cp1252_code_point(uint8_t byte) noexcept nogil
