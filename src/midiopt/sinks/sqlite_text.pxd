"""Values as text in SQLite, and floats as the shortest decimal: shared by the two ways of writing rows.

Functions that write take the place to write to and return the place behind what they wrote.
"""

from libc.math cimport copysign, fabs, nextafter, rint
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcpy

from midiopt.rows.layout cimport Field, TextSlice, load_float, load_int32

cdef extern from *:
    """
    /* The powers of ten that a double holds exactly. */
    static const double powers_of_ten[23] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
                                             1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    static const char hex_digits[] = "0123456789abcdef";
    #define first_bit __builtin_ctzll
    """
    const double[23] powers_of_ten
    const char *hex_digits
    int first_bit(uint64_t bits) noexcept nogil

cdef enum:
    TIME_BYTES = 27  # YYYY-MM-DDTHH:MM:SS.ffffffZ
    SHARE_BYTES = 9  # 0.123456 and a comma
    SKETCH_BYTES = 9  # a hash below 2^24 and a comma
    MEMBER_BYTES = 5  # a member has at most 4 digits


cdef inline double shortest_decimal(float x) noexcept nogil:
    """The double nearest to the shortest decimal that rounds back to x: 93.3, not 93.30000305175781.

    PostgreSQL prints the same decimal, so both databases return the same number. A power of ten and an integer of up to
    9 digits are exact, so their product or quotient is the double that the decimal itself is read as. x is returned
    unchanged outside 1e-14 to 1e22, which no column reaches.
    """
    cdef double a = fabs(x), power, y
    cdef int e, digits, k
    if not 1e-14 <= a < 1e22:
        return x
    e = 6 if a < 1e7 else 21
    while (a < powers_of_ten[e]) if e >= 0 else (a * powers_of_ten[-e] < 1):
        e -= 1
    for digits in range(6, 10):
        k = digits - 1 - e
        power = powers_of_ten[abs(k)]
        y = rint(a * power) / power if k >= 0 else rint(a / power) * power
        # PostgreSQL accepts no decimal halfway between two floats, so y must round to x even one step further from it.
        # Below 1e7 no halfway decimal is this short.
        if <float>y == <float>a and (a < 1e7 or <float>nextafter(y, 2 * y - a) == <float>a):
            return copysign(y, x)
    return x


cdef inline char *put_digits(char *out, int64_t x, int width) noexcept nogil:
    """Write x in decimal with this number of digits."""
    cdef int i
    for i in range(width - 1, -1, -1):
        out[i] = <char>(48 + x % 10)
        x //= 10
    return out + width


cdef inline char *put_share(char *out, float x) noexcept nogil:
    """Write a share (a multiple of 1e-6 in 0..1) with up to 6 decimals; NULL if it is not in 0..1."""
    cdef int micro
    if not 0 <= x <= 1:
        return NULL
    micro = <int>(x * 1e6 + 0.5)
    out[0] = <char>(48 + micro // 1000000)
    micro %= 1000000
    if micro == 0:
        return out + 1
    out[1] = b"."
    out = put_digits(out + 2, micro, 6)
    while (out - 1)[0] == b"0":
        out -= 1
    return out


cdef inline char *put_shares(char *out, const char *p, Py_ssize_t count) noexcept nogil:
    """Write a JSON array of shares; NULL if one is not in 0..1. `out` has room for count * SHARE_BYTES + 1."""
    cdef Py_ssize_t i
    for i in range(count):
        out[0] = c"," if i else c"["
        out = put_share(out + 1, load_float(p + i * sizeof(float)))
        if out == NULL:
            return NULL
    out[0] = b"]"
    return out + 1


cdef inline char *put_members(char *out, const char *p, Field *field) noexcept nogil:
    """Write a JSON array of the members of a set. `out` has room for 8 * field.size * MEMBER_BYTES + 2."""
    cdef Py_ssize_t i
    cdef int member, width
    cdef uint64_t bits
    out[0] = b"["
    out += 1
    for i in range(0, field.size, 8):
        bits = 0
        memcpy(&bits, p + i, min(8, field.size - i))
        while bits:
            member = 8 * <int>i + first_bit(bits) + field.first
            width = 1 if member < 10 else 2 if member < 100 else 3 if member < 1000 else 4
            out = put_digits(out, member, width)
            out[0] = b","
            out += 1
            bits &= bits - 1
    out -= (out - 1)[0] == b","
    out[0] = b"]"
    return out + 1


cdef inline char *put_sketch(char *out, const char *p, Py_ssize_t count) noexcept nogil:
    """Write a JSON array of the hashes that are not 0, at least one. `out` has room for count * SKETCH_BYTES + 2."""
    cdef Py_ssize_t i
    cdef int64_t hash, limit
    cdef int width
    out[0] = b"["
    out += 1
    for i in range(count):
        hash = load_int32(p + 4 * i) & 0xFFFFFF
        if hash:
            width = 1
            limit = 10
            while hash >= limit:
                width += 1
                limit *= 10
            out = put_digits(out, hash, width)
            out[0] = b","
            out += 1
    (out - 1)[0] = b"]"
    return out


cdef inline char *put_string(char *out, const char *text, Py_ssize_t length) noexcept nogil:
    """Write a JSON string; `out` has room for 6 * length + 2 bytes."""
    cdef Py_ssize_t i
    cdef unsigned char c
    out[0] = b'"'
    out += 1
    for i in range(length):
        c = text[i]
        if c < 32:
            memcpy(out, b"\\u00", 4)
            out[4] = hex_digits[c >> 4]
            out[5] = hex_digits[c & 15]
            out += 6
            continue
        if c == b'"' or c == b"\\":
            out[0] = b"\\"
            out += 1
        out[0] = c
        out += 1
    out[0] = b'"'
    return out + 1


cdef inline Py_ssize_t max_texts_bytes(TextSlice text) noexcept nogil:
    """The room that put_texts() needs: an item of n bytes, counting the NUL before it, takes at most 6 n + 3."""
    return 9 * (text.length if text.length > 0 else 0) + 16


cdef inline char *put_texts(char *out, TextSlice text) noexcept nogil:
    """Write a JSON array of the items, which are joined by NUL."""
    cdef Py_ssize_t start = 0, i
    out[0] = b"["
    out += 1
    if text.length > 0:
        for i in range(text.length + 1):
            if i == text.length or text.start[i] == 0:
                out = put_string(out, text.start + start, i - start)
                out[0] = b","
                out += 1
                start = i + 1
        out -= 1
    out[0] = b"]"
    return out + 1


cdef inline char *put_time(char *out, int64_t microseconds) noexcept nogil:
    """Write the time so many microseconds after 1970, TIME_BYTES; NULL if it is outside the years 1 to 9999.

    The date is that of Howard Hinnant's `civil_from_days`: years begin in March, and 400 of them have 146,097 days.
    """
    cdef int64_t seconds, days, era, year, day, month
    if not -62135596800000000LL <= microseconds < 253402300800000000LL:
        return NULL
    microseconds += 62167219200000000LL  # counted from the first of January of the year 0
    seconds = microseconds // 1000000
    days = seconds // 86400 - 60  # from the first of March
    era = days // 146097
    days -= era * 146097
    year = (days - days // 1460 + days // 36524 - days // 146096) // 365
    day = days - (365 * year + year // 4 - year // 100)
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5
    year += 400 * era
    if month < 10:
        month += 3
    else:
        month -= 9
        year += 1
    out = put_digits(out, year, 4)
    out[0] = b"-"
    out = put_digits(out + 1, month, 2)
    out[0] = b"-"
    out = put_digits(out + 1, day + 1, 2)
    out[0] = b"T"
    out = put_digits(out + 1, seconds // 3600 % 24, 2)
    out[0] = b":"
    out = put_digits(out + 1, seconds // 60 % 60, 2)
    out[0] = b":"
    out = put_digits(out + 1, seconds % 60, 2)
    out[0] = b"."
    out = put_digits(out + 1, microseconds % 1000000, 6)
    out[0] = b"Z"
    return out + 1
