# Whole numbers to doubles in vectors, with the instructions that every x86-64 has: before AVX-512 none converts 64 bits.

from libc.stdint cimport uint64_t
from libc.string cimport memcpy


cdef inline double as_double(uint64_t x) noexcept nogil:
    """A number below 2**52, as the lowest bits of a double of that size. Greater ones are cut: no frame is laid that late."""
    cdef double number
    x = min(x, <uint64_t>0xFFFFFFFFFFFFF) | <uint64_t>0x4330000000000000
    memcpy(&number, &x, sizeof(number))
    return number - 4503599627370496.0


cdef inline double rounded(double x) noexcept nogil:
    """To the nearest whole number, below 2**51: a double one and a half times as large as that has no room for a fraction."""
    return x + 6755399441055744.0 - 6755399441055744.0
