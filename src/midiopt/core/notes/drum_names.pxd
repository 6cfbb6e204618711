from libc.stddef cimport size_t
from libc.stdint cimport uint8_t

# Domain: any bytes; of a name of more than MAX_TEXT_BYTES, the first, of one in UTF-16, MAX_UTF16_BYTES.
cdef bint says_drums(const uint8_t *name, size_t length) noexcept nogil
