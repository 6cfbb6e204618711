"""Tempos in a name: beside "bpm", or beside a key."""

from midiopt.sources.filename.tokens cimport FoundFacts, NameSlice

cdef void read_tempo(NameSlice name, int i, FoundFacts *found) noexcept nogil
cdef void read_tempos_beside_key(NameSlice name, int start, int end, FoundFacts *found) noexcept nogil
cdef bint number_before(NameSlice name, int start, double *bpm) noexcept nogil
cdef bint number_after(NameSlice name, int end, double *bpm) noexcept nogil
cdef bint is_beside_bpm(NameSlice name, int start, int end) noexcept nogil
