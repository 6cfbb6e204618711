# One text as the file has it: where it begins and ends, and how its bytes are encoded.

from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint32_t

cdef enum TextEncoding:
    ASCII
    UTF8
    UTF8_CUT  # its end may cut a character of UTF-8; only all texts of a file tell it from a code page
    UTF16_LE
    UTF16_BE
    CODE_PAGE

cdef enum:
    MAX_TEXT_BYTES = 4096  # of a text, the rest is not read: 1,000 characters of UTF-8 are at most 4,000 bytes
    NO_CODE_PAGE = -1

cdef struct RawText:
    const uint8_t *bytes  # without a byte-order mark, and without the blanks and NUL bytes at its end
    size_t length  # 0: blank
    TextEncoding encoding
    int code_page  # that a language tag demands, or NO_CODE_PAGE
    bint is_plain  # no NUL byte and no brace


cdef RawText read_text(const uint8_t *p, size_t length) noexcept nogil
cdef const uint8_t *find_tag(const uint8_t *p, const uint8_t *end, uint8_t kind, const uint8_t **tag_end) noexcept nogil
cdef bint equals_ignoring_case(const uint8_t *p, size_t length, const char *lower_case) noexcept nogil
