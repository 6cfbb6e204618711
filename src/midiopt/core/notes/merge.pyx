"""Merges two runs of boundaries.

A module of its own: inlined into the function that calls it, gcc 12 keeps half of the loop's variables on the stack.
"""

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy

ctypedef fused boundary_t:  # unsigned: then a comparison is added up by its carry, two steps earlier
    uint32_t
    uint64_t


cdef void merge_narrow(const int32_t *a, const int32_t *middle, const int32_t *end, int32_t *out) noexcept nogil:
    """Merge the run from `a` to `middle` and the one from there to `end` into `out`."""
    merge[uint32_t](<const uint32_t *>a, <const uint32_t *>middle, <const uint32_t *>end, <uint32_t *>out)


cdef void merge_wide(const int64_t *a, const int64_t *middle, const int64_t *end, int64_t *out) noexcept nogil:
    """The same of 64 bits."""
    merge[uint64_t](<const uint64_t *>a, <const uint64_t *>middle, <const uint64_t *>end, <uint64_t *>out)


cdef inline void merge(const boundary_t *a, const boundary_t *middle, const boundary_t *end, boundary_t *out) noexcept nogil:
    """The same.

    It works from the front and the back at once, without a branch on which item is smaller: each step waits for the load
    of the one before, and two that wait for different loads run side by side. A step takes one item from the front and one from the
    back, so that half as many steps as the shorter run has items need not ask whether a run has ended.
    """
    cdef const boundary_t *b = middle
    cdef const boundary_t *last_a = middle - 1
    cdef const boundary_t *last_b = end - 1
    cdef boundary_t *back = out + (end - a) - 1
    cdef boundary_t x, y
    cdef Py_ssize_t steps = min(middle - a, end - middle) >> 1, i, j, taken, left
    cdef bint second
    while steps > 0:
        taken = left = 0  # items of a, from the front and, negative, from the back
        i = j = 0
        while i < steps:
            x = a[taken]
            y = b[i - taken]
            out[i] = min(x, y)
            taken += x <= y
            x = last_a[left]
            y = last_b[j - left]
            back[j] = max(x, y)
            left -= x > y
            i += 1
            j -= 1
        a += taken
        b += steps - taken
        last_a += left
        last_b -= steps + left
        out += steps
        back -= steps
        steps = min(last_a + 1 - a, last_b + 1 - b) >> 1
    while a <= last_a and b <= last_b:
        second = b[0] < a[0]
        out[0] = b[0] if second else a[0]
        a += not second
        b += second
        out += 1
    memcpy(out, a, (last_a + 1 - a) * sizeof(boundary_t))
    memcpy(out + (last_a + 1 - a), b, (last_b + 1 - b) * sizeof(boundary_t))
