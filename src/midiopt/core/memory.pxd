# Growth in one place: doubling, overflow checks, a hard cap.

from libc.stddef cimport size_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memset

cdef extern from "<stdlib.h>" nogil:
    void *aligned_alloc(size_t alignment, size_t size)

cdef enum:
    ALIGNMENT = 64  # bytes: a cache line, and the widest vector
    KEPT_BYTES = 1 << 20  # scratch of rare events larger than this is freed after the file that needed it

cdef enum Growth:
    GROWN
    OVER_CAP
    OUT_OF_MEMORY


cdef inline void *allocate_zeroed(size_t size) noexcept nogil:
    """Allocate `size` zero bytes aligned to ALIGNMENT, for free(); NULL when there is no memory.

    Arrays that vector loops write live here and not on the stack: gcc 12 has stored 32-byte vectors into a stack array
    that it had placed on a 16-byte boundary.
    """
    cdef size_t room = (size + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT
    cdef void *block = aligned_alloc(ALIGNMENT, room)
    if block != NULL:
        memset(block, 0, room)
    return block


cdef inline Growth reserve(void **block, size_t *capacity, size_t need, size_t item, size_t most, bint keep) noexcept nogil:
    """Make room for `need` items of `item` bytes, at most `most`; `keep` says whether old items must survive.

    `most * item` must not overflow: callers pass constants. Without `keep` nothing is copied.
    """
    cdef size_t room = capacity[0] if capacity[0] else 1024
    cdef void *grown
    if need <= capacity[0]:
        return GROWN
    if need > most:
        return OVER_CAP
    while room < need:
        room *= 2  # need <= most, so this stays below 2 * most
    if room > most:
        room = most
    if keep:
        grown = realloc(block[0], room * item)
        if grown == NULL:
            return OUT_OF_MEMORY
    else:
        free(block[0])
        grown = malloc(room * item)
        if grown == NULL:
            block[0] = NULL
            capacity[0] = 0
            return OUT_OF_MEMORY
    block[0] = grown
    capacity[0] = room
    return GROWN
