from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint16_t, uint64_t

# In the order in which they win a tie.
cdef enum:
    SHIFT_JIS
    CP1252
    GBK
    ENCODINGS

cdef struct Surprise:  # of the texts of a file that are not UTF-8, in each encoding
    uint64_t bits[ENCODINGS]


cdef bint is_utf8(const uint8_t *p, size_t length) noexcept nogil
cdef void weigh_text(Surprise *surprise, const uint8_t *p, size_t length) noexcept nogil
cdef int least_surprising(const Surprise *surprise) noexcept nogil
cdef uint16_t cp1252(uint8_t byte) noexcept nogil
