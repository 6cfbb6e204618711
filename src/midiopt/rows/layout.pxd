"""How compiled code finds the columns in a structured row; no column is named here or in the encoders.

layout.py computes the layout from schema.py and kinds.py; the numbers of the kinds and the null values here are compared
with kinds.py by tests/rows/test_kinds.py. The helpers are inline because every value of every row goes through one.
"""

from libc.stdint cimport UINT32_MAX, int16_t, int32_t, int64_t, uint32_t
from libc.string cimport memcpy


cdef enum Kind:  # in the order of kinds.KINDS
    TEXT
    TEXTS
    INT16
    INT32
    INT64
    FLOAT32
    FLOAT64
    SHARES
    HASH16
    HASH8
    ENUM
    BOOL
    SET
    TIME
    SKETCH

cdef enum:
    MAX_FIELDS = 128
    NULL_ENUM = 255
    SKETCH_VALUE_SHIFT = 19  # of a hash: its bits from here on are its place

cdef struct Field:
    int kind           # a Kind
    Py_ssize_t offset  # bytes from the start of the row
    Py_ssize_t size    # bytes
    int first          # member of a set that bit 0 stands for
    bint nullable
    int64_t null       # integer that stands for null
    int64_t low        # least and greatest valid integer
    int64_t high

cdef struct TextSlice:
    const char *start
    Py_ssize_t length  # bytes of UTF-8; -1 is null


cdef inline int read_fields(list layout, Field *fields) except -1:
    """Copy the fields of a RowLayout and return their number."""
    if len(layout) > MAX_FIELDS:
        raise ValueError(f"{len(layout)} columns, but MAX_FIELDS is {MAX_FIELDS}")
    for i, f in enumerate(layout):
        fields[i] = Field(f.kind, f.offset, f.size, f.first, f.nullable, f.null, f.low, f.high)
    return <int>len(layout)


# Rows come from any buffer, and a text field need not be aligned. A memcpy compiles to one load anyway.
cdef inline int16_t load_int16(const char *p) noexcept nogil:
    cdef int16_t x
    memcpy(&x, p, sizeof(x))
    return x


cdef inline int32_t load_int32(const char *p) noexcept nogil:
    cdef int32_t x
    memcpy(&x, p, sizeof(x))
    return x


cdef inline int64_t load_int64(const char *p) noexcept nogil:
    cdef int64_t x
    memcpy(&x, p, sizeof(x))
    return x


cdef inline float load_float(const char *p) noexcept nogil:
    cdef float x
    memcpy(&x, p, sizeof(x))
    return x


cdef inline double load_double(const char *p) noexcept nogil:
    cdef double x
    memcpy(&x, p, sizeof(x))
    return x


cdef inline bint is_zero(const char *p, Py_ssize_t size) noexcept nogil:
    """Whether a hash or a sketch is all zero, which is null; the size is a multiple of 8."""
    cdef Py_ssize_t i = 0
    while i < size and load_int64(p + i) == 0:
        i += 8
    return i == size


cdef inline TextSlice read_text(const char *p, const char *heap, Py_ssize_t heap_size) except *:
    """The text of a field; ValueError if it would lie outside the heap."""
    cdef Py_ssize_t offset = <uint32_t>load_int32(p), length = <uint32_t>load_int32(p + 4)
    if <uint32_t>length == UINT32_MAX:
        return TextSlice(NULL, -1)
    if offset + length > heap_size:
        raise ValueError(f"text of {length} bytes at {offset} in a heap of {heap_size}")
    return TextSlice(heap + offset, length)


cdef inline int read_enum(const char *p, tuple names) except -1:
    """The index of an enumeration's name, NULL_ENUM for null; ValueError if there is no such name."""
    cdef int value = (<const unsigned char *>p)[0]
    if value != NULL_ENUM and value >= len(names):
        raise ValueError(f"enumeration value {value} has no name")
    return value
