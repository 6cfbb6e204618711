"""A counting set of names: a hash table of 8 bytes per slot, at most half full, whatever the length of the names.

Names are identified by Python's hash of bytes, which is SipHash; with five million names the chance of any collision is about one
in a million. Each set puts 16 random bytes before them, so that nobody can make two names that collide, whatever PYTHONHASHSEED
says. XXH3 with a random seed would not do: its secret words keep their known differences under any seed.
"""

from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.stdint cimport uint64_t

import os


cdef class PathSet:
    """Counts how often each name was added. Open addressing with linear probing; 0 marks an empty slot."""

    cdef uint64_t *table
    cdef size_t capacity  # number of slots, a power of two
    cdef size_t used
    cdef bytes salt
    cdef dict repeats  # hash: count, for names added more than once

    def __cinit__(self):
        self.capacity = 1024
        self.table = <uint64_t *>PyMem_Calloc(self.capacity, sizeof(uint64_t))
        if self.table == NULL:
            raise MemoryError
        self.salt = os.urandom(16)
        self.repeats = {}

    def __dealloc__(self):
        PyMem_Free(self.table)

    def __len__(self):
        return self.used

    def add(self, bytes name not None):
        """Add a name; returns how often it has been added, 1 for a new one."""
        cdef uint64_t key = <uint64_t>hash(self.salt + name) or 1
        cdef size_t at = find_slot(self.table, self.capacity, key)
        if self.table[at] == key:
            self.repeats[key] = count = self.repeats.get(key, 1) + 1
            return count
        self.table[at] = key
        self.used += 1
        if self.used * 2 > self.capacity:
            self.grow()
        return 1

    cdef int grow(self) except -1:
        """Double the capacity."""
        cdef size_t doubled = self.capacity * 2, i
        cdef uint64_t *table = <uint64_t *>PyMem_Calloc(doubled, sizeof(uint64_t))
        if table == NULL:
            raise MemoryError
        for i in range(self.capacity):
            if self.table[i]:
                table[find_slot(table, doubled, self.table[i])] = self.table[i]
        PyMem_Free(self.table)
        self.table = table
        self.capacity = doubled
        return 0


cdef inline size_t find_slot(const uint64_t *table, size_t capacity, uint64_t key) noexcept nogil:
    """The slot of the key, or the empty slot where it belongs."""
    cdef size_t at = key & (capacity - 1)
    while table[at] and table[at] != key:
        at = (at + 1) & (capacity - 1)
    return at
