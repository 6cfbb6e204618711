from libc.stdint cimport int64_t, uint8_t
from libc.string cimport memcmp

cdef enum:
    BLOCK = 512  # bytes: a header is one, and data fills whole ones


cdef inline int64_t padding(int64_t size) noexcept nogil:
    """The bytes behind data of this size, up to a whole block."""
    return -size & (BLOCK - 1)


cdef inline bint is_zero(const uint8_t *block) noexcept nogil:
    return block[0] == 0 and memcmp(block, block + 1, BLOCK - 1) == 0


cdef bint has_valid_checksum(const uint8_t *block) noexcept nogil
cdef bytes field_text(const uint8_t *field, Py_ssize_t width)
cdef bytes entry_name(const uint8_t *block)
cdef int add_sparse_numbers(list numbers, const uint8_t *piece, int count) except -1
cdef dict pax_records(bytes data, int64_t start)
cdef int64_t pax_integer(bytes digits, int64_t start) except? -1
