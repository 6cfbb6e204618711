"""The parent's additions to the shared hash table, compiled: 0.11 us per hash, and nothing to import at the start of a run.

hash_table.py describes the layout. Workers read while this writes: a digest is two 64-bit words, and a reader compares both, so it
finds each digest complete or not at all.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport uint64_t
from libc.string cimport memcpy

cdef extern from *:
    """
    #define publish(slot, words) do { __atomic_store_n(&(slot)[1], (words)[1], __ATOMIC_RELEASE); \
                                      __atomic_store_n(&(slot)[0], (words)[0], __ATOMIC_RELEASE); } while (0)
    #define store(address, value) __atomic_store_n(address, value, __ATOMIC_SEQ_CST)
    """
    void publish(uint64_t *slot, const uint64_t *words) noexcept nogil
    void store(uint64_t *address, uint64_t value) noexcept nogil

cdef enum:  # as in hash_table.py
    SLOTS = 4  # of a bucket
    HEADER_WORDS = 8


def insert(memory, digests):
    """Add digests of 16 bytes each, joined in any buffer, to the table in `memory`; returns how many took a free slot."""
    cdef Py_buffer table, new
    cdef Py_ssize_t i
    cdef int added = 0
    cdef uint64_t words[2]
    PyObject_GetBuffer(memory, &table, PyBUF_SIMPLE | PyBUF_WRITABLE)
    try:
        PyObject_GetBuffer(digests, &new, PyBUF_SIMPLE)
        for i in range(new.len // 16):
            memcpy(words, <const char *>new.buf + 16 * i, 16)
            added += insert_one(<uint64_t *>table.buf, words)
        PyBuffer_Release(&new)
    finally:
        PyBuffer_Release(&table)
    return added


cdef bint insert_one(uint64_t *table, const uint64_t *words) noexcept nogil:
    """Whether the digest took a free slot; in a full bucket it replaces another one."""
    cdef uint64_t *bucket = table + HEADER_WORDS + (words[0] & table[0]) * SLOTS * 2
    cdef int i
    for i in range(SLOTS):
        if bucket[2 * i] == words[0]:
            return False
        if bucket[2 * i] == 0:
            publish(bucket + 2 * i, words)
            return True
    publish(bucket + 2 * (words[1] % SLOTS), words)
    return False


def double(memory):
    """Give the table in `memory` twice as many buckets. A reader with the old number still finds what moves in the lower half."""
    cdef Py_buffer view
    cdef uint64_t *table
    PyObject_GetBuffer(memory, &view, PyBUF_SIMPLE | PyBUF_WRITABLE)
    table = <uint64_t *>view.buf
    move(table + HEADER_WORDS, table[0] + 1, False)
    store(table, 2 * table[0] + 1)
    move(table + HEADER_WORDS, (table[0] + 1) // 2, True)
    PyBuffer_Release(&view)


cdef void move(uint64_t *slots, uint64_t buckets, bint is_copied) noexcept nogil:
    """Copy what belongs into the upper half there; then, once `is_copied`, free its slots in the lower half.

    A bucket is filled from its first slot, so what stays is moved together.
    """
    cdef uint64_t bucket
    cdef uint64_t *lower
    cdef uint64_t *upper
    cdef int i, kept, moved
    for bucket in range(buckets):
        lower = slots + bucket * SLOTS * 2
        upper = lower + buckets * SLOTS * 2
        kept = moved = 0
        for i in range(SLOTS):
            if lower[2 * i] == 0:
                break
            if lower[2 * i] & buckets:
                if not is_copied:
                    publish(upper + 2 * moved, lower + 2 * i)
                moved += 1
            elif is_copied:
                if kept < i:
                    publish(lower + 2 * kept, lower + 2 * i)
                kept += 1
        if is_copied:
            for i in range(kept, kept + moved):
                lower[2 * i] = lower[2 * i + 1] = 0
