from libc.stddef cimport size_t
from libc.stdint cimport uint8_t

# Domain: any bytes, as far as text/name_words reads them.
cdef bint says_drums(const uint8_t *name, size_t length) noexcept nogil
