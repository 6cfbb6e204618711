"""Integers in the headers of archives, read in one place for all formats.

Every size, offset, length and time comes through here or has at most 32 bits. The result always lies within
+-MAX_INTEGER, so that a column and C's off_t hold it, and a sum of two does not overflow.
"""

from libc.stdint cimport int64_t, uint8_t, uint64_t

cdef enum:
    MAX_DIGITS = 18  # 10**18 is below MAX

cdef int64_t MAX = 1LL << 60
MAX_INTEGER = MAX


def from_little_endian(bytes field not None):
    """An unsigned integer; MAX_INTEGER if it is greater: no file has such a size or offset."""
    return min(int.from_bytes(field, "little"), MAX_INTEGER)


def from_decimal(bytes digits not None):
    """A decimal integer, with a minus sign or without. Raises ValueError for anything else."""
    unsigned = digits[1:] if digits.startswith(b"-") else digits
    if not unsigned.isdigit() or len(unsigned) > MAX_DIGITS:
        raise ValueError("not a number")
    return int(digits)


cdef int64_t parse_tar_field(const uint8_t *field, int width) noexcept nogil:
    """Octal digits, or binary with the high bit set (GNU); -1 if it is neither, or too large. At most 12 bytes."""
    cdef uint64_t value = 0
    cdef int i = 0
    if field[0] == 0x80:
        for i in range(1, width):
            if value > <uint64_t>MAX >> 8:
                return -1
            value = value << 8 | field[i]
        return <int64_t>value if value <= <uint64_t>MAX else -1
    if field[0] == 0xFF:
        return -1
    while i < width and field[i] == c" ":
        i += 1
    while i < width and c"0" <= field[i] <= c"7":
        value = value << 3 | (field[i] - c"0")
        i += 1
    return <int64_t>value if i == width or field[i] in (0, c" ") else -1
