"""Structured rows to tuples for SQLite, with lists, sets and times written as text.

One tuple at a time, so that each row's objects are freed, and their memory used again, before the
next row is made.

Python's sqlite3 asks for an adapter of every value that is not exactly a str, int, float or bytearray,
and makes and drops an exception when there is none: None and bytes took 2.6 of 13.6 microseconds a file.
So a null is NaN, which SQLite stores as NULL, and a hash is a bytearray.
"""

from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_FromStringAndSize, PyByteArray_Resize
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_New, PyTuple_SET_ITEM
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.math cimport copysign, fabs, isnan, nextafter, rint

from midiopt.rows.layout cimport *

cdef const char *HEX = b"0123456789abcdef"
cdef object NULL_VALUE = float("nan")

# The powers of ten that a double holds exactly.
cdef double[23] POWERS
POWERS[:] = [float(10**i) for i in range(23)]


cdef double shortest(float x) noexcept nogil:
    """The double nearest to the shortest decimal that rounds back to x: 93.3, not 93.30000305175781.

    PostgreSQL prints the same decimal, so both databases answer with the same number. A power of ten
    and a whole number of up to 9 digits are exact, so their product or quotient is the double that
    the decimal itself reads as. Outside 1e-14 to 1e22, where no column comes, x is returned as it is.
    """
    cdef double a = fabs(x), power, y
    cdef int e, digits, k
    if not 1e-14 <= a < 1e22:
        return x
    e = 6 if a < 1e7 else 21
    while (a < POWERS[e]) if e >= 0 else (a * POWERS[-e] < 1):
        e -= 1
    for digits in range(6, 10):
        k = digits - 1 - e
        power = POWERS[abs(k)]
        y = rint(a * power) / power if k >= 0 else rint(a / power) * power
        # Away from a by one more step, because PostgreSQL takes no decimal halfway between two floats;
        # below 1e7 there is none this short.
        if <float>y == <float>a and (a < 1e7 or <float>nextafter(y, 2 * y - a) == <float>a):
            return copysign(y, x)
    return x


cdef inline char *put_uint(char *out, int64_t x, int width) noexcept nogil:
    """Write x in decimal, with zeros in front up to `width` digits."""
    cdef char digits[20]
    cdef int n = 0
    while x or n < width:
        digits[n] = <char>(48 + x % 10)
        x //= 10
        n += 1
    while n:
        n -= 1
        out[0] = digits[n]
        out += 1
    return out


cdef char *put_share(char *out, float x) except NULL:
    """Write a share, a multiple of 1e-6 in 0..1, with as many of 6 decimals as it needs."""
    if not 0 <= x <= 1:
        raise ValueError(f"share {x} is not in 0..1")
    cdef int micro = <int>(x * 1e6 + 0.5)
    cdef int digits = 6
    out[0] = <char>(48 + micro // 1000000)
    out += 1
    micro %= 1000000
    if micro:
        while micro % 10 == 0:
            micro //= 10
            digits -= 1
        out[0] = b"."
        out = put_uint(out + 1, micro, digits)
    return out


cdef char *put_string(char *out, const char *text, Py_ssize_t length) noexcept nogil:
    """Write a JSON string; `out` has room for 6 * length + 2 bytes."""
    cdef Py_ssize_t i
    cdef unsigned char c
    out[0] = b'"'
    out += 1
    for i in range(length):
        c = text[i]
        if c < 32:
            memcpy(out, b"\\u00", 4)
            out[4] = HEX[c >> 4]
            out[5] = HEX[c & 15]
            out += 6
            continue
        if c == b'"' or c == b"\\":
            out[0] = b"\\"
            out += 1
        out[0] = c
        out += 1
    out[0] = b'"'
    return out + 1


cdef str time_text(int64_t micros):
    """Microseconds since 1970 as 'YYYY-MM-DD HH:MM:SS.ffffff'; ValueError outside the years 1 to 9999."""
    if not -62135596800000000 <= micros < 253402300800000000:
        raise ValueError(f"time {micros} is outside the years 1 to 9999")
    # Days since 0000-03-01, counted in eras of 400 years and years that begin in March, so that the
    # leap day comes last (Howard Hinnant, "chrono-compatible low-level date algorithms").
    cdef int64_t since = micros + 62162035200000000  # never negative: division rounds down
    cdef int64_t day = since // 86400000000, micro = since % 86400000000
    cdef int64_t era = day // 146097, of_era = day % 146097
    cdef int64_t year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    cdef int64_t of_year = of_era - (365 * year + year // 4 - year // 100)
    cdef int64_t month = (5 * of_year + 2) // 153
    cdef char buffer[26]
    cdef char *out = put_uint(buffer, era * 400 + year + (month >= 10), 4)
    out[0] = b"-"
    out = put_uint(out + 1, month + 3 if month < 10 else month - 9, 2)
    out[0] = b"-"
    out = put_uint(out + 1, of_year - (153 * month + 2) // 5 + 1, 2)
    out[0] = b" "
    out = put_uint(out + 1, micro // 3600000000, 2)
    out[0] = b":"
    out = put_uint(out + 1, micro // 60000000 % 60, 2)
    out[0] = b":"
    out = put_uint(out + 1, micro // 1000000 % 60, 2)
    out[0] = b"."
    put_uint(out + 1, micro % 1000000, 6)
    return PyUnicode_DecodeUTF8(buffer, 26, NULL)


cdef class RowEncoder:
    """Turns rows of one table into tuples. `plan` is Table.plan()."""

    cdef Field[MAX_FIELDS] fields
    cdef int count
    cdef tuple names
    cdef bytearray scratch  # where JSON is written; grows to the longest and stays

    def __init__(self, list plan):
        self.count = read_plan(plan, self.fields)
        self.names = tuple([tuple(values) for *_, values in plan])
        self.scratch = bytearray()

    def tuples(self, rows, bytes heap):
        """Iterate over the rows (a contiguous structured array) as tuples in column order."""
        cdef const unsigned char[::1] data = rows.view("u1")
        cdef Py_ssize_t i, width = rows.dtype.itemsize
        for i in range(len(rows)):
            yield self.row(<const char *>&data[i * width], heap)

    cdef tuple row(self, const char *row, bytes heap):
        cdef tuple result = PyTuple_New(self.count)
        cdef object value
        cdef int i
        for i in range(self.count):
            value = self.value(&self.fields[i], row + self.fields[i].offset, heap, <tuple>self.names[i])
            Py_INCREF(value)
            PyTuple_SET_ITEM(result, i, value)
        return result

    cdef object value(self, Field *field, const char *p, bytes heap, tuple names):
        cdef int kind = field.kind, i
        cdef int64_t n
        cdef double x
        cdef Slice text
        if kind == INT32:
            i = load32(p)
            return NULL_VALUE if i == INT32_MIN else i
        elif kind == FLOAT32:
            x = load_float(p)
            return NULL_VALUE if isnan(x) else shortest(<float>x)
        elif kind == INT16:
            i = load16(p)
            return NULL_VALUE if i == INT16_MIN else i
        elif kind == INT64:
            n = load64(p)
            return NULL_VALUE if n == INT64_MIN else n
        elif kind == FLOAT64:
            x = load_double(p)
            return NULL_VALUE if isnan(x) else x
        elif kind == ENUM:
            i = enum_of(p, names)
            return NULL_VALUE if i == NULL_ENUM else names[i]
        elif kind == BOOL:
            return NULL_VALUE if p[0] == <char>NULL_ENUM else p[0]
        elif kind == HASH16 or kind == HASH8:
            return NULL_VALUE if blank(p, field.size) else PyByteArray_FromStringAndSize(p, field.size)
        elif kind == TEXT:
            text = text_of(p, PyBytes_AS_STRING(heap), PyBytes_GET_SIZE(heap))
            return NULL_VALUE if text.length < 0 else PyUnicode_DecodeUTF8(text.at, text.length, NULL)
        elif kind == TEXTS:
            return self.texts(text_of(p, PyBytes_AS_STRING(heap), PyBytes_GET_SIZE(heap)))
        elif kind == FLOATS:
            return self.shares(p, field.size // sizeof(float))
        elif kind == SET:
            return self.members(p, field)
        else:  # TIME
            return time_text(load64(p))

    cdef char *room(self, Py_ssize_t size) except NULL:
        if len(self.scratch) < size:
            PyByteArray_Resize(self.scratch, size)
        return PyByteArray_AS_STRING(self.scratch)

    cdef str json(self, char *end):
        """The array in `scratch`: every item has left a comma after it, or one byte was left for it."""
        cdef char *start = PyByteArray_AS_STRING(self.scratch)
        start[0] = b"["
        end -= end > start + 1
        end[0] = b"]"
        return PyUnicode_DecodeUTF8(start, end + 1 - start, NULL)

    cdef str texts(self, Slice text):
        # An item of n bytes, of which the first may be the NUL before it, takes at most 6 n + 3.
        cdef char *out = self.room(9 * text.length + 16) + 1
        cdef Py_ssize_t start = 0, i
        if text.length > 0:
            for i in range(text.length + 1):
                if i == text.length or text.at[i] == 0:
                    out = put_string(out, text.at + start, i - start)
                    out[0] = b","
                    out += 1
                    start = i + 1
        return self.json(out)

    cdef str shares(self, const char *p, Py_ssize_t count):
        cdef char *out = self.room(9 * count + 2) + 1  # "0.123456,"
        cdef Py_ssize_t i
        for i in range(count):
            out = put_share(out, load_float(p + i * sizeof(float)))
            out[0] = b","
            out += 1
        return self.json(out)

    cdef str members(self, const char *p, Field *field):
        cdef char *out = self.room(8 * field.size * 5 + 2) + 1  # members have at most 4 digits
        cdef Py_ssize_t i
        cdef int bit
        for i in range(field.size):
            if p[i]:
                for bit in range(8):
                    if p[i] >> bit & 1:
                        out = put_uint(out, 8 * i + bit + field.first, 1)
                        out[0] = b","
                        out += 1
        return self.json(out)
