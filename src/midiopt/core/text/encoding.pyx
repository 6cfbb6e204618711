"""How the bytes of one text are encoded, as far as the text itself shows it.

Byte-order marks are those of the Unicode Standard, section 2.13. Language tags are those of RP-026 (MIDI Manufacturers
Association, "SMF Language and Display Extensions"), {@LATIN} and {@JP}, and of the sequencers that added {@UTF-8},
{@UTF-16LE} and {@UTF-16BE}.
"""

from libc.string cimport memchr, memcmp, strlen

from midiopt.core.text.code_pages cimport CP1252, SHIFT_JIS


cdef RawText read_text(const uint8_t *p, size_t length) noexcept nogil:
    """The text of `length` bytes; of more than MAX_TEXT_BYTES, the first."""
    cdef RawText text
    cdef uint32_t flags
    cdef bint is_marked = False
    if length > MAX_TEXT_BYTES:
        length = MAX_TEXT_BYTES
    text.code_page = NO_CODE_PAGE
    if length >= 2 and p[0] >= 0xFE and p[0] + p[1] == 0xFE + 0xFF:
        set_utf16(&text, p, length, 2, UTF16_BE if p[0] == 0xFE else UTF16_LE)
        return text
    while length >= 3 and memcmp(p, b"\xEF\xBB\xBF", 3) == 0:
        p += 3
        length -= 3
        is_marked = True
    while length and is_blank_byte(p[length - 1]):
        length -= 1
    text.bytes = p
    text.length = length
    flags = flags_of(p, length)
    text.is_plain = not flags & 3
    text.encoding = ASCII
    if flags & 4:
        text.encoding = utf8_or_code_page(p, length, is_marked)
    if flags & 2:
        read_language_tag(&text)
    return text


cdef inline void set_utf16(RawText *text, const uint8_t *p, size_t length, size_t start, TextEncoding encoding) noexcept nogil:
    text.bytes = p + start
    text.length = length - start
    text.encoding = encoding
    text.is_plain = False


cdef inline uint32_t flags_of(const uint8_t *p, size_t length) noexcept nogil:
    """1: there is a NUL byte; 2: an opening brace; 4: a byte above ASCII."""
    cdef size_t i
    cdef uint8_t zeros = 0, braces = 0, high = 0
    for i in range(length):
        zeros |= p[i] == 0
        braces |= p[i] == 0x7B
        high |= p[i]
    return zeros | braces << 1 | high >> 7 << 2


cdef inline bint is_blank_byte(uint8_t c) noexcept nogil:
    return c == 0x20 or 0x09 <= c <= 0x0D or c == 0


cdef const uint8_t *find_tag(const uint8_t *p, const uint8_t *end, uint8_t kind, const uint8_t **tag_end) noexcept nogil:
    """The first tag {kind...} from `p`, and the byte behind its closing brace; NULL if there is none."""
    cdef const uint8_t *closing
    while True:
        p = <const uint8_t *>memchr(p, 0x7B, end - p) if p < end else NULL
        if p == NULL:
            return NULL
        if end - p >= 3 and p[1] == kind:
            closing = <const uint8_t *>memchr(p, 0x7D, end - p)
            if closing == NULL:
                return NULL
            tag_end[0] = closing + 1
            return p
        p += 1


cdef bint equals_ignoring_case(const uint8_t *p, size_t length, const char *lower_case) noexcept nogil:
    """Whether the bytes are the ASCII text `lower_case`, in small or capital letters."""
    cdef size_t i
    if length != strlen(lower_case):
        return False
    for i in range(length):
        if (p[i] | 0x20 if 0x41 <= p[i] <= 0x5A else p[i]) != <uint8_t>lower_case[i]:
            return False
    return True


cdef inline void read_language_tag(RawText *text) noexcept nogil:
    """Set what the first language tag of a text demands, if it is known."""
    cdef const uint8_t *end = text.bytes + text.length
    cdef const uint8_t *tag_end = NULL
    cdef const uint8_t *tag = find_tag(text.bytes, end, 0x40, &tag_end)
    cdef size_t length
    if tag == NULL:
        return
    tag += 2
    length = tag_end - 1 - tag
    if equals_ignoring_case(tag, length, b"latin"):
        text.code_page = CP1252
        text.encoding = CODE_PAGE
    elif equals_ignoring_case(tag, length, b"jp"):
        text.code_page = SHIFT_JIS
        text.encoding = CODE_PAGE
    elif equals_ignoring_case(tag, length, b"utf-8") or equals_ignoring_case(tag, length, b"utf8"):
        if text.encoding != ASCII:
            text.encoding = utf8_or_code_page(text.bytes, text.length, True)
    elif equals_ignoring_case(tag, length, b"utf-16le"):
        set_utf16(text, text.bytes, text.length, tag_end - text.bytes, UTF16_LE)
    elif equals_ignoring_case(tag, length, b"utf-16be"):
        set_utf16(text, text.bytes, text.length, tag_end - text.bytes, UTF16_BE)


cdef TextEncoding utf8_or_code_page(const uint8_t *p, size_t length, bint is_marked) noexcept nogil:
    """UTF8 if the bytes are well-formed (Unicode 15, table 3-7): no overlong forms, no surrogates, up to U+10FFFF.

    If only the last character is incomplete, UTF8 of a marked text, and UTF8_CUT of another with a complete one of several bytes.
    """
    cdef size_t i = 0, more, k, complete = 0
    cdef uint8_t low, high
    while i < length:
        if p[i] < 0x80:
            i += 1
            continue
        low, high = 0x80, 0xBF  # of the second byte
        if 0xC2 <= p[i] <= 0xDF:
            more = 1
        elif 0xE0 <= p[i] <= 0xEF:
            more = 2
            if p[i] == 0xE0:
                low = 0xA0
            elif p[i] == 0xED:
                high = 0x9F
        elif 0xF0 <= p[i] <= 0xF4:
            more = 3
            if p[i] == 0xF0:
                low = 0x90
            elif p[i] == 0xF4:
                high = 0x8F
        else:
            return CODE_PAGE
        for k in range(1, more + 1):
            if i + k == length:
                return UTF8 if is_marked else UTF8_CUT if complete else CODE_PAGE
            if not low <= p[i + k] <= high:
                return CODE_PAGE
            low, high = 0x80, 0xBF
        i += more + 1
        complete += 1
    return UTF8
