# Growable memory: doubling, overflow checks and a hard cap in one place, and one table of all blocks of an analysis.

from libc.stddef cimport size_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memset

cdef extern from "<stdlib.h>" nogil:
    void *aligned_alloc(size_t alignment, size_t size)

# Under the address sanitizer, an access to bytes of a block that the present file did not ask for is a finding, although they are
# allocated; in other builds these two do nothing. `room` is the number of accessible bytes.
cdef extern from *:
    """
    #if defined(__SANITIZE_ADDRESS__)
    #define MIDIOPT_POISONS 1
    #elif defined(__has_feature)
    #if __has_feature(address_sanitizer)
    #define MIDIOPT_POISONS 1
    #endif
    #endif
    #ifdef MIDIOPT_POISONS
    #include <sanitizer/asan_interface.h>
    #include <stddef.h>
    static inline void midiopt_set_room(void *block, size_t *room, size_t bytes) {
        if (bytes > *room)
            __asan_unpoison_memory_region((char *)block + *room, bytes - *room);
        else
            __asan_poison_memory_region((char *)block + bytes, *room - bytes);
        *room = bytes;
    }
    #define midiopt_open_item(item) __asan_unpoison_memory_region(item, sizeof(*(item)))
    #else
    #define midiopt_set_room(block, room, bytes) ((void)0)
    #define midiopt_open_item(item) ((void)0)
    #endif
    """
    void set_room "midiopt_set_room"(void *block, size_t *room, size_t bytes) noexcept nogil
    void open_item "midiopt_open_item"(void *item) noexcept nogil

cdef enum:
    ALIGNMENT = 64  # bytes: a cache line, and the widest vector
    MIN_ITEMS = 1024  # of a block's first allocation
    MAX_IDLE_BYTES = 128 << 20  # of all blocks: more is released after the file that needed it

cdef enum Growth:
    GROWN
    OVER_CAP
    OUT_OF_MEMORY

# Every growable array of an analysis: indices of Scratch.blocks.
cdef enum:
    EVENT_BLOCK
    MARK_BLOCK
    TRACK_BLOCK
    TEMPO_EVENT_BLOCK
    TEMPO_SEGMENT_BLOCK
    TEMPO_SHARE_BLOCK
    SIGNATURE_BLOCK
    NOTE_BLOCK
    SECONDS_BLOCK  # of notes
    BOUNDARY_BLOCK
    BOUNDARY_SORT_BLOCK
    STUCK_NOTE_BLOCK
    RELEASE_BLOCK
    PART_EVENT_BLOCK
    PART_CHANGE_BLOCK
    TEXT_BLOCK
    TRACK_FACTS_BLOCK
    TRACK_BOUNDARY_BLOCK
    PART_SHAPE_BLOCK
    TIMED_NOTE_BLOCK
    PULSE_BLOCK
    PULSE_KEY_BLOCK
    TRACK_LINK_BLOCK
    CHORD_SCORE_BLOCK
    TRACKED_BEAT_BLOCK
    TRANSFER_BLOCK  # the bytes of a file whose transfer was undone
    BLOCK_COUNT

# The owner of that memory, kept between files. Zeroed, it is empty. The parts of an analysis point to it, and reserve
# their arrays anew for each file.
cdef struct Scratch:
    void *blocks[BLOCK_COUNT]
    size_t capacities[BLOCK_COUNT]  # items
    size_t rooms[BLOCK_COUNT]  # accessible bytes; under the address sanitizer only
    size_t bytes  # of all blocks


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


cdef inline Growth reserve(
    void **block, size_t *capacity, size_t needed, size_t item_size, size_t max_items, bint keep_items
) noexcept nogil:
    """Make room for `needed` items of `item_size` bytes, at most `max_items`. Without `keep_items` nothing is copied.

    `max_items * item_size` must not overflow: callers pass constants.
    """
    cdef size_t room = capacity[0] if capacity[0] else MIN_ITEMS
    cdef void *grown
    if needed <= capacity[0]:
        return GROWN
    if needed > max_items:
        return OVER_CAP
    while room < needed:
        room *= 2  # needed <= max_items, so this stays below 2 * max_items
    if room > max_items:
        room = max_items
    if keep_items:
        grown = realloc(block[0], room * item_size)
        if grown == NULL:
            return OUT_OF_MEMORY
    else:
        free(block[0])
        grown = malloc(room * item_size)
        if grown == NULL:
            block[0] = NULL
            capacity[0] = 0
            return OUT_OF_MEMORY
    block[0] = grown
    capacity[0] = room
    return GROWN


cdef inline void *reserve_block(
    Scratch *scratch, int block, size_t needed, size_t item_size, size_t max_items, bint keep_items
) noexcept nogil:
    """A block with room for `needed` items and at least one, as reserve() makes it.

    NULL if that is over the cap or memory ran out. All callers of a block pass the same `item_size`.
    """
    cdef size_t before = scratch.capacities[block]
    cdef Growth growth
    if before and needed <= before:
        set_room(scratch.blocks[block], &scratch.rooms[block], needed * item_size)
        return scratch.blocks[block]
    growth = reserve(&scratch.blocks[block], &scratch.capacities[block], max(needed, <size_t>1), item_size, max_items, keep_items)
    scratch.bytes += (scratch.capacities[block] - before) * item_size  # unsigned: a block that was lost is subtracted
    if growth:
        return NULL
    scratch.rooms[block] = scratch.capacities[block] * item_size
    set_room(scratch.blocks[block], &scratch.rooms[block], needed * item_size)
    return scratch.blocks[block]


cdef inline void release(Scratch *scratch) noexcept nogil:
    """Free all blocks."""
    cdef int block
    for block in range(BLOCK_COUNT):
        free(scratch.blocks[block])
    memset(scratch, 0, sizeof(Scratch))


cdef inline void trim(Scratch *scratch) noexcept nogil:
    """Free all blocks after a very large file, so that one file does not set the memory of a worker for good."""
    if scratch.bytes > MAX_IDLE_BYTES:
        release(scratch)


# A block that somebody else owns for a while.
cdef struct LentBlock:
    void *bytes
    size_t capacity  # items
    size_t room


cdef inline LentBlock lend_block(Scratch *scratch, int block, size_t item_size) noexcept nogil:
    """Hand over a block; the next reserve_block() allocates another one, unless this one is back."""
    cdef LentBlock lent
    lent.bytes = scratch.blocks[block]
    lent.capacity = scratch.capacities[block]
    lent.room = scratch.rooms[block]
    scratch.bytes -= lent.capacity * item_size
    scratch.blocks[block] = NULL
    scratch.capacities[block] = scratch.rooms[block] = 0
    return lent


cdef inline void return_block(Scratch *scratch, int block, size_t item_size, const LentBlock *lent) noexcept nogil:
    """Take a block back, or free it if another one is in its place."""
    if scratch.blocks[block] == NULL and lent.capacity * item_size <= MAX_IDLE_BYTES:
        scratch.blocks[block] = lent.bytes
        scratch.capacities[block] = lent.capacity
        scratch.rooms[block] = lent.room
        scratch.bytes += lent.capacity * item_size
    else:
        free(lent.bytes)
