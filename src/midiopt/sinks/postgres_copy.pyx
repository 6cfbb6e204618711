"""Structured rows to the bytes of PostgreSQL's COPY ... (FORMAT binary).

A field is its length in bytes (-1 for null) and its value, all big-endian. See "COPY", File Formats,
Binary Format in the PostgreSQL manual, and array_send and timestamptz_send in its sources.
"""

from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_FromStringAndSize, PyByteArray_Resize
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.math cimport isnan
from libc.stdint cimport uint16_t, uint64_t

from midiopt.rows.layout cimport *

cdef extern from "<endian.h>" nogil:
    uint16_t htobe16(uint16_t)
    uint32_t htobe32(uint32_t)
    uint64_t htobe64(uint64_t)

cdef enum:
    HEADER_SIZE = 19
    SMALLINT = 21  # type oids, as pg_type has them
    TEXT_OID = 25
    REAL = 700
    ARRAY_HEADER = 20  # bytes before the first item

cdef const char *HEADER = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0"  # signature, no flags, no extension
cdef int64_t EPOCH = 946684800000000  # 2000-01-01 in microseconds since 1970


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


cdef inline char *put_bytes(char *out, const char *at, Py_ssize_t length) noexcept nogil:
    out = put32(out, <int32_t>length)
    memcpy(out, at, length)
    return out + length


cdef char *put_array_header(char *out, int oid, int items) noexcept nogil:
    """One dimension from 1; an array without items has none. `out` is after the field's length."""
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
    out = put_array_header(out + 4, REAL, count)
    for i in range(count):
        out = put32(put32(out, 4), load32(p + 4 * i))  # the bits of a float are an integer's
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
        out = start + 4 + 12
    put_array_header(start + 4, SMALLINT, items)
    put32(start, <int32_t>(out - start - 4))
    return out


cdef char *put_texts(char *out, Slice text) noexcept nogil:
    """An array of the items, which are joined by NUL; nothing is an array without items."""
    cdef char *start = out
    cdef int items = 0
    cdef Py_ssize_t begin = 0, i
    if text.length > 0:
        out += 4 + ARRAY_HEADER
        for i in range(text.length + 1):
            if i == text.length or text.at[i] == 0:
                out = put_bytes(out, text.at + begin, i - begin)
                items += 1
                begin = i + 1
    else:
        out += 4 + 12
    put_array_header(start + 4, TEXT_OID, items)
    put32(start, <int32_t>(out - start - 4))
    return out


cdef class CopyEncoder:
    """Turns rows of one table into COPY bytes. `plan` is Table.plan()."""

    cdef Field[MAX_FIELDS] fields
    cdef int count
    cdef tuple names  # of enumerations, as bytes
    cdef Py_ssize_t widest  # bytes that a row takes at most, texts aside

    def __init__(self, list plan):
        cdef int i
        self.count = read_plan(plan, self.fields)
        self.names = tuple([tuple([name.encode() for name in values]) for *_, values in plan])
        self.widest = 2  # the number of fields
        for i in range(self.count):
            self.widest += 4 + ARRAY_HEADER + max([len(name) for name in self.names[i]], default=0)
            if self.fields[i].kind == SET:
                self.widest += 8 * self.fields[i].size * 6  # smallints and their lengths
            else:
                self.widest += 2 * self.fields[i].size  # reals and theirs; anything else takes less

    def encode(self, rows, bytes heap):
        """The rows (a contiguous structured array) as one COPY stream, header and trailer included."""
        cdef const unsigned char[::1] data = rows.view("u1")
        cdef Py_ssize_t i, n = len(rows), width = rows.dtype.itemsize
        cdef bytearray result = PyByteArray_FromStringAndSize(NULL, self.room(data, n, width))
        cdef char *start = PyByteArray_AS_STRING(result)
        cdef char *out = start + HEADER_SIZE
        memcpy(start, HEADER, HEADER_SIZE)
        for i in range(n):
            out = self.put_row(out, <const char *>&data[i * width], heap)
        out = put16(out, -1)
        PyByteArray_Resize(result, out - start)
        return result

    cdef Py_ssize_t room(self, const unsigned char[::1] data, Py_ssize_t n, Py_ssize_t width):
        """Bytes that the stream takes at most; what it does not take is never touched."""
        cdef Py_ssize_t i, texts = 0
        cdef int j
        cdef uint32_t length
        for j in range(self.count):
            if self.fields[j].kind == TEXT or self.fields[j].kind == TEXTS:
                for i in range(n):
                    length = <uint32_t>load32(<const char *>&data[i * width + self.fields[j].offset + 4])
                    texts += 0 if length == UINT32_MAX else 5 * <Py_ssize_t>length + 4  # an item and its length, 5 a byte
        return HEADER_SIZE + n * self.widest + texts + 2

    cdef char *put_row(self, char *out, const char *row, bytes heap) except NULL:
        cdef int i
        out = put16(out, <int16_t>self.count)
        for i in range(self.count):
            out = self.put_value(out, &self.fields[i], row + self.fields[i].offset, heap, <tuple>self.names[i])
        return out

    cdef char *put_value(self, char *out, Field *field, const char *p, bytes heap, tuple names) except NULL:
        cdef int kind = field.kind, value
        cdef int64_t n
        cdef Slice text
        cdef bytes name
        if kind == INT32:
            value = load32(p)
            return put_null(out) if value == INT32_MIN else put32(put32(out, 4), value)
        elif kind == FLOAT32:
            return put_null(out) if isnan(load_float(p)) else put32(put32(out, 4), load32(p))
        elif kind == INT16:
            value = load16(p)
            return put_null(out) if value == INT16_MIN else put16(put32(out, 2), <int16_t>value)
        elif kind == INT64:
            n = load64(p)
            return put_null(out) if n == INT64_MIN else put64(put32(out, 8), n)
        elif kind == FLOAT64:
            return put_null(out) if isnan(load_double(p)) else put64(put32(out, 8), load64(p))
        elif kind == ENUM:
            value = enum_of(p, names)
            if value == NULL_ENUM:
                return put_null(out)
            name = <bytes>names[value]
            return put_bytes(out, PyBytes_AS_STRING(name), PyBytes_GET_SIZE(name))
        elif kind == BOOL:
            if p[0] == <char>NULL_ENUM:
                return put_null(out)
            return put_bytes(out, p, 1)
        elif kind == HASH16 or kind == HASH8:
            return put_null(out) if blank(p, field.size) else put_bytes(out, p, field.size)
        elif kind == TEXT:
            text = text_of(p, PyBytes_AS_STRING(heap), PyBytes_GET_SIZE(heap))
            return put_null(out) if text.length < 0 else put_bytes(out, text.at, text.length)
        elif kind == TEXTS:
            return put_texts(out, text_of(p, PyBytes_AS_STRING(heap), PyBytes_GET_SIZE(heap)))
        elif kind == FLOATS:
            return put_reals(out, p, <int>(field.size // 4))
        elif kind == SET:
            return put_members(out, p, field)
        else:  # TIME
            return put64(put32(out, 8), load64(p) - EPOCH)
