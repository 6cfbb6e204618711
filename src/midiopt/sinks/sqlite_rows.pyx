"""Structured rows to tuples for SQLite; lists, sets and times become text.

One tuple at a time, so that the objects of a row are freed, and their memory reused, before the next row is made.

Python's sqlite3 looks up an adapter for every value that is not exactly a str, int, float or bytearray, and creates and
discards an exception when there is none: for None and bytes this took 2.6 of 13.6 microseconds per file. So null is NaN,
which SQLite stores as NULL, and a hash is a bytearray.
"""

from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_FromStringAndSize, PyByteArray_Resize
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_New, PyTuple_SET_ITEM
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.math cimport copysign, fabs, isnan, nextafter, rint
from libc.stdint cimport int64_t
from libc.string cimport memcpy

from midiopt.rows.layout cimport (
    BOOL, ENUM, FLOAT32, FLOAT64, HASH8, HASH16, INT16, INT32, INT64, MAX_FIELDS, SET, SHARES, TEXT, TEXTS, Field,
    TextSlice, is_zero, load_double, load_float, load_int16, load_int32, load_int64, read_enum, read_fields, read_text,
)

import datetime as dt

cdef const char *HEX = b"0123456789abcdef"
cdef object NULL_VALUE = float("nan")
cdef object EPOCH = dt.datetime(1970, 1, 1)

# The powers of ten that a double holds exactly.
cdef double[23] POWERS
POWERS[:] = [float(10**i) for i in range(23)]


cdef double shortest_decimal(float x) noexcept nogil:
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
    while (a < POWERS[e]) if e >= 0 else (a * POWERS[-e] < 1):
        e -= 1
    for digits in range(6, 10):
        k = digits - 1 - e
        power = POWERS[abs(k)]
        y = rint(a * power) / power if k >= 0 else rint(a / power) * power
        # PostgreSQL accepts no decimal halfway between two floats, so y must round to x even one step further from it.
        # Below 1e7 no halfway decimal is this short.
        if <float>y == <float>a and (a < 1e7 or <float>nextafter(y, 2 * y - a) == <float>a):
            return copysign(y, x)
    return x


cdef inline char *put_uint(char *out, int64_t x, int width) noexcept nogil:
    """Write x in decimal, padded with zeros to `width` digits."""
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
    """Write a share (a multiple of 1e-6 in 0..1) with up to 6 decimals."""
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


cdef class RowEncoder:
    """Turns rows of one table into tuples. `fields` are those of its RowLayout."""

    cdef Field[MAX_FIELDS] fields
    cdef int count
    cdef tuple names  # of the enumeration in each column
    cdef bytearray scratch  # JSON is written here; grows to the longest and is kept
    cdef int64_t last_time
    cdef str last_time_text

    def __init__(self, list fields):
        self.count = read_fields(fields, self.fields)
        self.names = tuple([field.names for field in fields])
        self.scratch = bytearray()
        self.last_time = 0
        self.last_time_text = EPOCH.isoformat(" ", "microseconds")

    def tuples(self, rows, bytes heap):
        """Iterate over the rows (a contiguous structured array) as tuples in column order.

        Raises ValueError for a text outside the heap, an enumeration value without a name, a share outside 0..1 and a
        time outside the years 1 to 9999.
        """
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
        cdef TextSlice text
        if kind == INT32:
            i = load_int32(p)
            return NULL_VALUE if i == field.null else i
        elif kind == FLOAT32:
            x = load_float(p)
            return NULL_VALUE if isnan(x) else shortest_decimal(<float>x)
        elif kind == INT16:
            i = load_int16(p)
            return NULL_VALUE if i == field.null else i
        elif kind == INT64:
            n = load_int64(p)
            return NULL_VALUE if n == field.null else n
        elif kind == FLOAT64:
            x = load_double(p)
            return NULL_VALUE if isnan(x) else x
        elif kind == ENUM:
            i = read_enum(p, names)
            return NULL_VALUE if i == field.null else names[i]
        elif kind == BOOL:
            return NULL_VALUE if (<const unsigned char *>p)[0] == field.null else p[0]
        elif kind == HASH16 or kind == HASH8:
            return NULL_VALUE if is_zero(p, field.size) else PyByteArray_FromStringAndSize(p, field.size)
        elif kind == TEXT:
            text = read_text(p, PyBytes_AS_STRING(heap), PyBytes_GET_SIZE(heap))
            return NULL_VALUE if text.length < 0 else PyUnicode_DecodeUTF8(text.start, text.length, NULL)
        elif kind == TEXTS:
            return self.json_texts(read_text(p, PyBytes_AS_STRING(heap), PyBytes_GET_SIZE(heap)))
        elif kind == SHARES:
            return self.json_shares(p, field.size // sizeof(float))
        elif kind == SET:
            return self.json_members(p, field)
        else:  # TIME
            return self.time_text(load_int64(p))

    cdef str time_text(self, int64_t microseconds):
        """'YYYY-MM-DD HH:MM:SS.ffffff'. The rows of a chunk have the same time, so the last text is kept."""
        if microseconds != self.last_time:
            try:
                time = EPOCH + dt.timedelta(microseconds=microseconds)
            except OverflowError:
                raise ValueError(f"time {microseconds} is outside the years 1 to 9999") from None
            self.last_time_text = time.isoformat(" ", "microseconds")
            self.last_time = microseconds
        return self.last_time_text

    cdef char *reserve(self, Py_ssize_t size) except NULL:
        """The scratch buffer, grown to `size` bytes."""
        if len(self.scratch) < size:
            PyByteArray_Resize(self.scratch, size)
        return PyByteArray_AS_STRING(self.scratch)

    cdef str json_text(self, char *end):
        """The array in `scratch`. Each item is followed by a comma; the last one becomes the closing bracket."""
        cdef char *start = PyByteArray_AS_STRING(self.scratch)
        start[0] = b"["
        end -= end > start + 1
        end[0] = b"]"
        return PyUnicode_DecodeUTF8(start, end + 1 - start, NULL)

    cdef str json_texts(self, TextSlice text):
        # An item of n bytes, counting the NUL before it, takes at most 6 n + 3.
        cdef char *out = self.reserve(9 * text.length + 16) + 1
        cdef Py_ssize_t start = 0, i
        if text.length > 0:
            for i in range(text.length + 1):
                if i == text.length or text.start[i] == 0:
                    out = put_string(out, text.start + start, i - start)
                    out[0] = b","
                    out += 1
                    start = i + 1
        return self.json_text(out)

    cdef str json_shares(self, const char *p, Py_ssize_t count):
        cdef char *out = self.reserve(9 * count + 2) + 1  # "0.123456,"
        cdef Py_ssize_t i
        for i in range(count):
            out = put_share(out, load_float(p + i * sizeof(float)))
            out[0] = b","
            out += 1
        return self.json_text(out)

    cdef str json_members(self, const char *p, Field *field):
        cdef char *out = self.reserve(8 * field.size * 5 + 2) + 1  # members have at most 4 digits
        cdef Py_ssize_t i
        cdef int bit
        for i in range(field.size):
            if p[i]:
                for bit in range(8):
                    if p[i] >> bit & 1:
                        out = put_uint(out, 8 * i + bit + field.first, 1)
                        out[0] = b","
                        out += 1
        return self.json_text(out)
