"""Structured rows to the bytes of PostgreSQL's COPY ... (FORMAT binary).

A field is its length in bytes (-1 for null) followed by its value, all big-endian. See the PostgreSQL manual, COPY, File
Formats, Binary Format, and array_send and timestamptz_send in its sources.
"""

from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_FromStringAndSize, PyByteArray_Resize
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.math cimport isnan
from libc.stdint cimport UINT32_MAX, int16_t, int32_t, int64_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

from midiopt.rows.layout cimport (
    BOOL, ENUM, FLOAT32, FLOAT64, HASH8, HASH16, INT16, INT32, INT64, MAX_FIELDS, SET, SHARES, SKETCH, TEXT, TEXTS, Field,
    TextSlice, is_zero, load_double, load_float, load_int16, load_int32, load_int64, read_enum, read_fields, read_text,
)

# <endian.h> is Linux's. Only little-endian machines are supported, see load_le16() in core/smf/cursor.pxd.
cdef extern from *:
    uint16_t htobe16 "__builtin_bswap16"(uint16_t) noexcept nogil
    uint32_t htobe32 "__builtin_bswap32"(uint32_t) noexcept nogil
    uint64_t htobe64 "__builtin_bswap64"(uint64_t) noexcept nogil

cdef enum:
    HEADER_SIZE = 19
    SMALLINT_OID = 21  # of the types in pg_type
    INTEGER_OID = 23
    TEXT_OID = 25
    REAL_OID = 700
    ARRAY_HEADER = 20  # bytes before the first item
    EMPTY_ARRAY = 12  # bytes of an array without items

cdef const char *HEADER = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0"  # signature, no flags, no extension
cdef int64_t POSTGRES_EPOCH = 946684800000000  # 2000-01-01, in microseconds since 1970


cdef inline char *put16(char *out, int16_t x) noexcept nogil:
    cdef uint16_t big = htobe16(<uint16_t>x)
    memcpy(out, &big, 2)
    return out + 2


cdef inline char *put32(char *out, int32_t x) noexcept nogil:
    cdef uint32_t big = htobe32(<uint32_t>x)
    memcpy(out, &big, 4)
    return out + 4


cdef inline char *put64(char *out, int64_t x) noexcept nogil:
    cdef uint64_t big = htobe64(<uint64_t>x)
    memcpy(out, &big, 8)
    return out + 8


cdef inline char *put_null(char *out) noexcept nogil:
    return put32(out, -1)


cdef inline char *put_bytes(char *out, const char *source, Py_ssize_t length) noexcept nogil:
    out = put32(out, <int32_t>length)
    memcpy(out, source, length)
    return out + length


cdef char *put_array_header(char *out, int oid, int items) noexcept nogil:
    """One dimension with lower bound 1; no dimension without items. `out` is after the field's length."""
    out = put32(out, items > 0)
    out = put32(out, 0)  # no nulls
    out = put32(out, oid)
    if items:
        out = put32(out, items)
        out = put32(out, 1)
    return out


cdef char *put_reals(char *out, const char *p, int count) noexcept nogil:
    cdef char *start = out
    cdef int i
    out = put_array_header(out + 4, REAL_OID, count)
    for i in range(count):
        out = put32(put32(out, 4), load_int32(p + 4 * i))  # the bits of a float are an integer's
    put32(start, <int32_t>(out - start - 4))
    return out


cdef char *put_members(char *out, const char *p, Field *field) noexcept nogil:
    cdef char *start = out
    cdef int items = 0, i, bit
    out += 4 + ARRAY_HEADER
    for i in range(<int>field.size):
        if p[i]:
            for bit in range(8):
                if p[i] >> bit & 1:
                    out = put16(put32(out, 2), <int16_t>(8 * i + bit + field.first))
                    items += 1
    if not items:
        out = start + 4 + EMPTY_ARRAY
    put_array_header(start + 4, SMALLINT_OID, items)
    put32(start, <int32_t>(out - start - 4))
    return out


cdef char *put_sketch(char *out, const char *p, int count) noexcept nogil:
    """An array of the hashes that are not 0, at least one."""
    cdef char *start = out
    cdef int items = 0, i
    cdef int32_t hash
    out += 4 + ARRAY_HEADER
    for i in range(count):
        hash = load_int32(p + 4 * i)
        if hash:
            out = put32(put32(out, 4), hash)
            items += 1
    put_array_header(start + 4, INTEGER_OID, items)
    put32(start, <int32_t>(out - start - 4))
    return out


cdef char *put_texts(char *out, TextSlice text) noexcept nogil:
    """An array of the items, which are joined by NUL; an empty text is an array without items."""
    cdef char *start = out
    cdef int items = 0
    cdef Py_ssize_t begin = 0, i
    if text.length > 0:
        out += 4 + ARRAY_HEADER
        for i in range(text.length + 1):
            if i == text.length or text.start[i] == 0:
                out = put_bytes(out, text.start + begin, i - begin)
                items += 1
                begin = i + 1
    else:
        out += 4 + EMPTY_ARRAY
    put_array_header(start + 4, TEXT_OID, items)
    put32(start, <int32_t>(out - start - 4))
    return out


cdef class CopyEncoder:
    """Turns rows of one table into COPY bytes. `fields` are those of its RowLayout."""

    cdef Field[MAX_FIELDS] fields
    cdef int count
    cdef tuple names  # of the enumeration in each column, as bytes
    cdef Py_ssize_t max_row_bytes  # without texts

    def __init__(self, list fields):
        cdef int i
        self.count = read_fields(fields, self.fields)
        self.names = tuple([tuple([name.encode() for name in field.names]) for field in fields])
        self.max_row_bytes = 2 + 4 + 8  # the number of fields, and a number that is no part of the row
        for i in range(self.count):
            self.max_row_bytes += 4 + ARRAY_HEADER + max([len(name) for name in self.names[i]], default=0)
            if self.fields[i].kind == SET:
                self.max_row_bytes += 8 * self.fields[i].size * 6  # a smallint and its length per bit
            else:
                self.max_row_bytes += 2 * self.fields[i].size  # a real and its length; other kinds take less

    def encode(self, rows, bytes heap, const int64_t[::1] numbers=None):
        """The rows (a contiguous structured array) as one COPY stream with header and trailer.

        `numbers` has one more value for each row, 0 for null. Raises ValueError for a text outside the heap and an enumeration value
        without a name.
        """
        cdef const unsigned char[::1] data = rows.view("u1")
        cdef Py_ssize_t i, n = len(rows), width = rows.dtype.itemsize
        cdef bytearray result = PyByteArray_FromStringAndSize(NULL, self.max_bytes(data, n, width))
        cdef char *start = PyByteArray_AS_STRING(result)
        cdef char *out = start + HEADER_SIZE
        cdef bint has_numbers = numbers is not None
        if has_numbers and len(numbers) != n:
            raise ValueError("there must be a number for each row")
        memcpy(start, HEADER, HEADER_SIZE)
        for i in range(n):
            out = self.put_row(put16(out, <int16_t>(self.count + has_numbers)), <const char *>&data[i * width], heap)
            if has_numbers:
                out = put64(put32(out, 8), numbers[i]) if numbers[i] else put_null(out)
        out = put16(out, -1)
        PyByteArray_Resize(result, out - start)
        return result

    cdef Py_ssize_t max_bytes(self, const unsigned char[::1] data, Py_ssize_t n, Py_ssize_t width):
        """Upper bound of the stream's size. Pages that are reserved but not written cost nothing."""
        cdef Py_ssize_t i, texts = 0
        cdef int j
        cdef uint32_t length
        for j in range(self.count):
            if self.fields[j].kind == TEXT or self.fields[j].kind == TEXTS:
                for i in range(n):
                    length = <uint32_t>load_int32(<const char *>&data[i * width + self.fields[j].offset + 4])
                    texts += 0 if length == UINT32_MAX else 5 * <Py_ssize_t>length + 4  # an item of one byte takes 5
        return HEADER_SIZE + n * self.max_row_bytes + texts + 2

    cdef char *put_row(self, char *out, const char *row, bytes heap) except NULL:
        cdef int i
        for i in range(self.count):
            out = self.put_value(out, &self.fields[i], row + self.fields[i].offset, heap, <tuple>self.names[i])
        return out

    cdef char *put_value(self, char *out, Field *field, const char *p, bytes heap, tuple names) except NULL:
        cdef int kind = field.kind, value
        cdef int64_t n
        cdef TextSlice text
        cdef bytes name
        if kind == INT32:
            value = load_int32(p)
            return put_null(out) if value == field.null else put32(put32(out, 4), value)
        elif kind == FLOAT32:
            return put_null(out) if isnan(load_float(p)) else put32(put32(out, 4), load_int32(p))
        elif kind == INT16:
            value = load_int16(p)
            return put_null(out) if value == field.null else put16(put32(out, 2), <int16_t>value)
        elif kind == INT64:
            n = load_int64(p)
            return put_null(out) if n == field.null else put64(put32(out, 8), n)
        elif kind == FLOAT64:
            return put_null(out) if isnan(load_double(p)) else put64(put32(out, 8), load_int64(p))
        elif kind == ENUM:
            value = read_enum(p, names)
            if value == field.null:
                return put_null(out)
            name = <bytes>names[value]
            return put_bytes(out, PyBytes_AS_STRING(name), PyBytes_GET_SIZE(name))
        elif kind == BOOL:
            if (<const unsigned char *>p)[0] == field.null:
                return put_null(out)
            return put_bytes(out, p, 1)
        elif kind == HASH16 or kind == HASH8:
            return put_null(out) if is_zero(p, field.size) else put_bytes(out, p, field.size)
        elif kind == TEXT:
            text = read_text(p, PyBytes_AS_STRING(heap), PyBytes_GET_SIZE(heap))
            return put_null(out) if text.length < 0 else put_bytes(out, text.start, text.length)
        elif kind == TEXTS:
            return put_texts(out, read_text(p, PyBytes_AS_STRING(heap), PyBytes_GET_SIZE(heap)))
        elif kind == SHARES:
            return put_reals(out, p, <int>(field.size // 4))
        elif kind == SKETCH:
            return put_null(out) if is_zero(p, field.size) else put_sketch(out, p, <int>(field.size // 4))
        elif kind == SET:
            return put_members(out, p, field)
        else:  # TIME
            return put64(put32(out, 8), load_int64(p) - POSTGRES_EPOCH)
