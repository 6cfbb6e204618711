"""Meters in a name."""

from midiopt.sources.filename.tokens cimport FoundFacts, NameSlice

cdef void read_meter(NameSlice name, int i, FoundFacts *found) noexcept nogil
