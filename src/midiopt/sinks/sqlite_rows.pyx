"""Structured rows to tuples for Python's sqlite3; lists, sets and times become text.

For a Python whose SQLite cannot be called directly: with sqlite_statement.pyx the whole writing of rows takes 0.57 of the time.

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
from libc.math cimport isnan
from libc.stdint cimport int64_t

from midiopt.rows.layout cimport (
    BOOL, ENUM, FLOAT32, FLOAT64, HASH8, HASH16, INT16, INT32, INT64, MAX_FIELDS, SET, SHARES, SKETCH, TEXT, TEXTS, Field,
    TextSlice, is_zero, load_double, load_float, load_int16, load_int32, load_int64, read_enum, read_fields, read_text,
)
from midiopt.sinks.sqlite_text cimport (
    MEMBER_BYTES, SHARE_BYTES, SKETCH_BYTES, TIME_BYTES, max_texts_bytes, put_members, put_shares, put_sketch, put_texts, put_time,
    shortest_decimal,
)

cdef object NULL_VALUE = float("nan")


cdef class RowEncoder:
    """Turns rows of one table into tuples. `fields` are those of its RowLayout."""

    cdef Field[MAX_FIELDS] fields
    cdef int count
    cdef tuple names  # of the enumeration in each column
    cdef bytearray scratch  # text is written here; grows to the longest and is kept

    def __init__(self, list fields):
        self.count = read_fields(fields, self.fields)
        self.names = tuple([field.names for field in fields])
        self.scratch = bytearray()

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
        elif kind == SKETCH and is_zero(p, field.size):
            return NULL_VALUE
        else:
            return self.written_text(kind, field, p, heap)

    cdef str written_text(self, int kind, Field *field, const char *p, bytes heap):
        """The text of a list, a set or a time."""
        cdef char *start
        cdef char *end
        cdef TextSlice text
        if kind == TEXTS:
            text = read_text(p, PyBytes_AS_STRING(heap), PyBytes_GET_SIZE(heap))
            start = self.reserve(max_texts_bytes(text))
            end = put_texts(start, text)
        elif kind == SHARES:
            start = self.reserve(field.size // sizeof(float) * SHARE_BYTES + 1)
            end = put_shares(start, p, field.size // sizeof(float))
        elif kind == SKETCH:
            start = self.reserve(field.size // 4 * SKETCH_BYTES + 2)
            end = put_sketch(start, p, field.size // 4)
        elif kind == SET:
            start = self.reserve(8 * field.size * MEMBER_BYTES + 2)
            end = put_members(start, p, field)
        else:
            start = self.reserve(TIME_BYTES)
            end = put_time(start, load_int64(p))
        if end == NULL:
            raise ValueError("a share is not in 0..1" if kind == SHARES else f"time {load_int64(p)} is outside the years 1 to 9999")
        return PyUnicode_DecodeUTF8(start, end - start, NULL)

    cdef char *reserve(self, Py_ssize_t size) except NULL:
        """The scratch buffer, grown to `size` bytes."""
        if len(self.scratch) < size:
            PyByteArray_Resize(self.scratch, size)
        return PyByteArray_AS_STRING(self.scratch)
