# Conversions between integers and doubles that vectorise with the instructions of every x86-64: before AVX-512, none
# converts 64-bit integers.

from libc.stdint cimport uint64_t
from libc.string cimport memcpy

# Added before a double is truncated to an integer. With 0 and 1/2 some values would lie on the edge between two integers,
# where rounding errors decide. No value of a file lies on these edges: with eleven decimals that would need a number of ticks
# per quarter divisible by 5**7. So the same music gives the same integers at every division.
cdef extern from *:
    """
    #define MIDIOPT_TRUNCATION_OFFSET 0.37123456789
    #define MIDIOPT_ROUNDING_OFFSET 0.49876543211
    """
    const double TRUNCATION_OFFSET "MIDIOPT_TRUNCATION_OFFSET"
    const double ROUNDING_OFFSET "MIDIOPT_ROUNDING_OFFSET"


cdef inline double as_double(uint64_t x) noexcept nogil:
    """An integer below 2**52 as a double: it becomes the mantissa of 2**52 + x. Larger values are cut to 2**52 - 1."""
    cdef double number
    x = min(x, <uint64_t>0xFFFFFFFFFFFFF) | <uint64_t>0x4330000000000000
    memcpy(&number, &x, sizeof(number))
    return number - 4503599627370496.0


cdef inline double rounded(double x) noexcept nogil:
    """The nearest integer, for |x| below 2**51: next to 1.5 * 2**52 a double has no fraction bits."""
    return x + 6755399441055744.0 - 6755399441055744.0
