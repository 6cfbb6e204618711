"""How an encoder finds the columns in a structured row; none is named here or in the encoders.

``tables.Table.plan`` makes the plan from schema.py and the dtype; an encoder keeps it as one Field a
column. The helpers are inline because every value of every row goes through one.
"""

from libc.stdint cimport INT16_MIN, INT32_MIN, INT64_MIN, UINT32_MAX, int16_t, int32_t, int64_t, uint32_t
from libc.string cimport memcpy


cdef enum Kind:  # in the order of KINDS in tables.py
    TEXT, TEXTS, INT16, INT32, INT64, FLOAT32, FLOAT64, FLOATS, HASH16, HASH8, ENUM, BOOL, SET, TIME

cdef enum:
    MAX_FIELDS = 128
    NULL_ENUM = 255

cdef struct Field:
    int kind           # a Kind
    int first          # the member that bit 0 of a set stands for
    Py_ssize_t offset  # bytes from the start of the row
    Py_ssize_t size    # bytes in the row

cdef struct Slice:
    const char *at
    Py_ssize_t length  # bytes of UTF-8; -1 is null


cdef inline int read_plan(list plan, Field *fields) except -1:
    """Fill `fields` from Table.plan() and return how many there are."""
    if len(plan) > MAX_FIELDS:
        raise ValueError(f"{len(plan)} columns, but MAX_FIELDS is {MAX_FIELDS}")
    for i, (kind, offset, size, first, _) in enumerate(plan):
        fields[i] = Field(kind, first, offset, size)
    return <int>len(plan)


# Rows come from any buffer, and a text field need not be aligned: memcpy is one load all the same.
cdef inline int16_t load16(const char *p) noexcept nogil:
    cdef int16_t x
    memcpy(&x, p, sizeof(x))
    return x


cdef inline int32_t load32(const char *p) noexcept nogil:
    cdef int32_t x
    memcpy(&x, p, sizeof(x))
    return x


cdef inline int64_t load64(const char *p) noexcept nogil:
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


cdef inline bint blank(const char *p, Py_ssize_t size) noexcept nogil:
    """Whether a hash is null: all zero. `size` is 8 or 16."""
    return load64(p) == 0 and (size == 8 or load64(p + 8) == 0)


cdef inline Slice text_of(const char *p, const char *heap, Py_ssize_t heap_size) except *:
    """The text of a field; ValueError when it would lie outside the heap."""
    cdef Py_ssize_t offset = <uint32_t>load32(p), length = <uint32_t>load32(p + 4)
    if <uint32_t>length == UINT32_MAX:
        return Slice(NULL, -1)
    if offset + length > heap_size:
        raise ValueError(f"text of {length} bytes at {offset} in a heap of {heap_size}")
    return Slice(heap + offset, length)


cdef inline int enum_of(const char *p, tuple names) except -1:
    """The value of an enumeration, NULL_ENUM for null; ValueError when it has no name."""
    cdef int value = (<const unsigned char *>p)[0]
    if value != NULL_ENUM and value >= len(names):
        raise ValueError(f"enumeration value {value} has no name")
    return value
