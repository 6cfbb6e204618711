# ASCII words in names, whatever the rest of a name is.

from libc.stddef cimport size_t
from libc.stdint cimport uint8_t


cdef inline bint begins_with(const uint8_t *text, size_t length, const char *word) noexcept nogil:
    """Whether a text begins with a word of small letters, in either case."""
    cdef size_t i = 0
    while word[i]:
        if i == length or text[i] | 0x20 != <uint8_t>word[i]:
            return False
        i += 1
    return True


cdef inline bint begins_with_any(const uint8_t *text, size_t length, const char **words, int count) noexcept nogil:
    cdef int i
    for i in range(count):
        if begins_with(text, length, words[i]):
            return True
    return False
