from libc.stddef cimport size_t
from libc.stdint cimport uint8_t

from .arena cimport Arena

cdef struct KeyEstimate:
    uint8_t key  # index into schema.KEYS, or NULL_ENUM
    float confidence


cdef KeyEstimate estimate_key(const double *weights) noexcept nogil
cdef uint8_t declared_key(const Arena *arena, const uint8_t *data, size_t first, size_t last) noexcept nogil
