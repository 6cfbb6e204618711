from libc.stdint cimport int64_t, uint8_t

cdef int64_t parse_tar_field(const uint8_t *field, int width) noexcept nogil
