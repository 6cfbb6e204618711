"""Which names were met before: 8 bytes a name in a table at most half full, whatever the names' lengths.

Names are told apart by their XXH3-64: among five million of them, one in a million times two are taken for one.
"""

from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.stdint cimport uint64_t

import xxhash


cdef class Seen:
    """A set of names that counts. Open addressing with linear probing; 0 marks an empty place."""

    cdef uint64_t *table
    cdef size_t places  # a power of two
    cdef size_t used
    cdef dict repeats  # hash: how often it was met, of those met more than once

    def __cinit__(self):
        self.places = 1024
        self.table = <uint64_t *>PyMem_Calloc(self.places, sizeof(uint64_t))
        if self.table == NULL:
            raise MemoryError
        self.repeats = {}

    def __dealloc__(self):
        PyMem_Free(self.table)

    def __len__(self):
        return self.used

    def add(self, bytes name not None):
        """How often the name has been met by now: 1 for a new one."""
        cdef uint64_t key = xxhash.xxh3_64_intdigest(name) or 1
        cdef size_t at = place(self.table, self.places, key)
        if self.table[at] == key:
            self.repeats[key] = count = self.repeats.get(key, 1) + 1
            return count
        self.table[at] = key
        self.used += 1
        if self.used * 2 > self.places:
            self.grow()
        return 1

    cdef grow(self):
        cdef size_t more = self.places * 2, i
        cdef uint64_t *table = <uint64_t *>PyMem_Calloc(more, sizeof(uint64_t))
        if table == NULL:
            raise MemoryError
        for i in range(self.places):
            if self.table[i]:
                table[place(table, more, self.table[i])] = self.table[i]
        PyMem_Free(self.table)
        self.table = table
        self.places = more


cdef inline size_t place(const uint64_t *table, size_t places, uint64_t key) noexcept nogil:
    """Where the key is, or where it belongs."""
    cdef size_t at = key & (places - 1)
    while table[at] and table[at] != key:
        at = (at + 1) & (places - 1)
    return at
