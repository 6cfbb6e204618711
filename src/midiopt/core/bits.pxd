# Bit operations of the processor on 64-bit words.

from libc.stdint cimport uint64_t

cdef extern from *:
    int trailing_zeros "__builtin_ctzll"(uint64_t word) noexcept nogil  # undefined for 0
    int leading_zeros "__builtin_clzll"(uint64_t word) noexcept nogil  # undefined for 0
    int popcount "__builtin_popcountll"(uint64_t word) noexcept nogil
