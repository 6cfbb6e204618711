"""Character classes and comparisons of a file or folder name."""

from libc.stdint cimport uint8_t, uint32_t

cdef enum:  # character classes, a bit set
    SPACE = 1  # separates words: a space, _ or -
    DIGIT = 2
    LETTER = 4  # ASCII letters and every byte above 127
    QUOTE = 8  # part of a word
    WORD = DIGIT | LETTER | QUOTE

cdef enum:
    MAX_SPACES = 3  # between a key or "bpm" and its number

cdef uint8_t[256] CLASS  # by byte

cdef struct NameSlice:
    const uint8_t *at
    int size  # bytes

cdef struct FoundFacts:  # in one name
    double bpm  # beside "bpm"
    double beside_key  # BPM beside a key
    int tempos, tempos_beside_keys  # number of different ones; 2 means two or more
    uint32_t keys  # bit set: 12 major keys from C up, then 12 minor keys
    uint32_t meters  # bit set of codes of schema.NAME_METERS


cdef inline int class_at(NameSlice name, int i) noexcept nogil:
    """Character class of byte i; 0 outside the name."""
    return CLASS[name.at[i]] if 0 <= i < name.size else 0


cdef inline bint matches(NameSlice name, int i, const char *word) noexcept nogil:
    """Whether `word` (lower case) is at i, ignoring case."""
    cdef int k = 0
    while word[k]:
        if i + k < 0 or i + k >= name.size or name.at[i + k] | 32 != <uint8_t>word[k]:
            return False
        k += 1
    return True
