# Words in the name of a track in any script: tables of the words of code_page_words.py, and the search for them.

from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint32_t

cdef enum:
    MAX_NAME_WORDS = 160
    NAME_WORD_BYTES = 24
    MAX_UTF16_BYTES = 512  # of a name
    MAX_UTF8_BYTES = 768  # that they become

cdef struct NameWord:
    uint8_t bytes[NAME_WORD_BYTES]
    uint8_t length
    uint8_t kind
    uint8_t has_pairs
    uint8_t is_whole

cdef struct NameWords:
    NameWord words[MAX_NAME_WORDS]  # in ascending order
    uint8_t first[257]  # by first byte, and the number of all

cdef struct Name:  # the text of a name, for a search
    const uint8_t *bytes
    size_t length
    uint8_t utf8[MAX_UTF8_BYTES]  # of UTF-16


cdef int fill_words(NameWords *table, words) except -1
# Domain: any bytes; of a name of more than MAX_TEXT_BYTES, the first, of one in UTF-16, MAX_UTF16_BYTES.
cdef void read_name(Name *name, const uint8_t *bytes, size_t length) noexcept nogil
cdef uint32_t find_words(const NameWords *table, const uint8_t *name, size_t length) noexcept nogil
