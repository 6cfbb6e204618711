"""Keys in a name."""

from midiopt.sources.filename.tokens cimport NameSlice

cdef enum:
    NO_KEY = -1

cdef enum KeyForm:
    SPACED  # "C minor", "F sharp major"
    JOINED  # "Cmin", "F#m": one word
    AMBIGUOUS  # "Am", "Emin": also a word or a name

cdef struct Key:
    int number  # bit in FoundFacts.keys, or NO_KEY
    int end  # position after it
    KeyForm form

cdef Key read_key(NameSlice name, int i) noexcept nogil
cdef int first_tonic(NameSlice name) noexcept nogil
