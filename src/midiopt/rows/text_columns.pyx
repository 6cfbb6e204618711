"""The texts of a column, gathered from the heap of a batch into the three buffers that Arrow has for them."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport INT32_MAX, int32_t
from libc.string cimport memcpy

from midiopt.rows.layout cimport TextSlice, read_text


def gather_texts(rows, Py_ssize_t offset, bytes heap not None):
    """Of rows (a contiguous structured array) the texts at `offset` in each: where they start and end (int32, one more than rows),
    the bytes of all, and a bit per row that is not null, from the lowest of byte 0.

    Raises ValueError for a text outside the heap and for more than 2 GiB of text.
    """
    cdef const unsigned char[::1] data = rows.view("u1")
    cdef Py_ssize_t i, count = len(rows), width = rows.dtype.itemsize, total = 0
    cdef const char *start = heap
    cdef TextSlice text
    cdef bytes ends = PyBytes_FromStringAndSize(NULL, 4 * (count + 1)), valid = bytes((count + 7) // 8), gathered
    cdef int32_t *end = <int32_t *>PyBytes_AS_STRING(ends)
    cdef unsigned char *bits = <unsigned char *>PyBytes_AS_STRING(valid)
    cdef char *target
    end[0] = 0
    for i in range(count):
        text = read_text(<const char *>&data[i * width + offset], start, len(heap))
        if text.length >= 0:
            total += text.length
            bits[i >> 3] |= <unsigned char>(1 << (i & 7))
        if total > INT32_MAX:
            raise ValueError("more than 2 GiB of text")
        end[i + 1] = <int32_t>total
    gathered = PyBytes_FromStringAndSize(NULL, total)
    target = PyBytes_AS_STRING(gathered)
    for i in range(count):
        if end[i + 1] > end[i]:
            text = read_text(<const char *>&data[i * width + offset], start, len(heap))
            memcpy(target + end[i], text.start, text.length)
    return ends, gathered, valid
