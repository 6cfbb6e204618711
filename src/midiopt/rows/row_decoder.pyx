"""One row to a list of Python objects, None for null: an analysis in 3 us, where the interpreter took 11.

Whoever analyses in threads holds the lock of the interpreter meanwhile, so that this is time that other threads wait.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.object cimport PyObject_GenericSetAttr
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.math cimport isnan
from libc.stdint cimport int64_t

from midiopt.rows.layout cimport (
    BOOL, ENUM, FLOAT32, FLOAT64, HASH8, HASH16, INT16, INT32, INT64, MAX_FIELDS, SET, SHARES, SKETCH, TEXT, TEXTS, Field,
    TextSlice, is_zero, load_double, load_float, load_int16, load_int32, load_int64, read_enum, read_fields, read_text,
)


cdef class RowDecoder:
    """Decodes rows of one table. `fields` are those of its RowLayout."""

    cdef Field[MAX_FIELDS] fields
    cdef int count
    cdef Py_ssize_t size  # bytes of a row, at least
    cdef tuple names  # of the enumeration in each column

    def __init__(self, list fields):
        self.count = read_fields(fields, self.fields)
        self.names = tuple([field.names for field in fields])
        self.size = max([field.offset + field.size for field in fields])

    def values(self, row, heap):
        """The values of a row in column order; `row` and `heap` are any buffers.

        Raises ValueError for a text outside the heap and an enumeration value without a name.
        """
        cdef Py_buffer bytes_of_row, texts
        cdef int i
        PyObject_GetBuffer(row, &bytes_of_row, PyBUF_SIMPLE)
        try:
            PyObject_GetBuffer(heap, &texts, PyBUF_SIMPLE)
            try:
                if bytes_of_row.len < self.size:
                    raise ValueError(f"a row of {bytes_of_row.len} bytes, not {self.size}")
                return [
                    value_of(&self.fields[i], <const char *>bytes_of_row.buf + self.fields[i].offset, &texts, <tuple>self.names[i])
                    for i in range(self.count)
                ]
            finally:
                PyBuffer_Release(&texts)
        finally:
            PyBuffer_Release(&bytes_of_row)


def set_fields(instance, tuple names not None, list values not None):
    """Set the slots of an instance of a frozen dataclass: object.__setattr__() in a loop takes 7 times as long."""
    cdef Py_ssize_t i
    if len(names) != len(values):
        raise ValueError(f"{len(values)} values for {len(names)} fields")
    for i in range(len(names)):
        PyObject_GenericSetAttr(instance, names[i], values[i])


cdef object value_of(const Field *field, const char *p, const Py_buffer *heap, tuple names):
    cdef int kind = field.kind, i
    cdef int64_t n
    cdef double x
    if kind == INT32 or kind == INT16 or kind == INT64:
        n = load_int32(p) if kind == INT32 else load_int16(p) if kind == INT16 else load_int64(p)
        return None if field.nullable and n == field.null else n
    if kind == FLOAT32 or kind == FLOAT64:
        x = load_float(p) if kind == FLOAT32 else load_double(p)
        return None if field.nullable and isnan(x) else x
    if kind == ENUM:
        i = read_enum(p, names)
        return None if i == field.null else names[i]
    if kind == BOOL:
        return None if (<const unsigned char *>p)[0] == field.null else p[0] != 0
    if kind == HASH16 or kind == HASH8:
        return None if is_zero(p, field.size) else PyBytes_FromStringAndSize(p, field.size)
    if kind == TEXT or kind == TEXTS:
        return text_of(kind, read_text(p, <const char *>heap.buf, heap.len))
    if kind == SHARES:
        return [load_float(p + 4 * i) for i in range(field.size // 4)]
    if kind == SKETCH:
        return None if is_zero(p, field.size) else [n for i in range(field.size // 4) if (n := load_int32(p + 4 * i))]
    if kind == SET:
        return [field.first + i for i in range(8 * field.size) if (<const unsigned char *>p)[i >> 3] >> (i & 7) & 1]
    return time_of(load_int64(p))


cdef object text_of(int kind, TextSlice text):
    """A text, or the list of those that are joined."""
    cdef str joined
    if text.length <= 0 and kind == TEXTS:
        return []
    if text.length < 0:
        return None
    joined = PyUnicode_DecodeUTF8(text.start, text.length, NULL)
    return joined.split("\0") if kind == TEXTS else joined


cdef object time_of(int64_t microseconds):
    from datetime import UTC, datetime, timedelta  # 2 ms that workers do not need

    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
