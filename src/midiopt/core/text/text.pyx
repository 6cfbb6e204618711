"""Texts of a MIDI file, in whatever encoding, to UTF-8 in a heap."""

from libc.stdint cimport uint32_t
from libc.string cimport memchr, memcpy

from midiopt.core.facts cimport NULL_TEXT
from midiopt.core.memory cimport TEXT_BLOCK, reserve_block
from midiopt.core.smf.midi cimport NO_MEMORY, USABLE
from midiopt.core.text.code_pages cimport MAX_UTF8_PER_BYTE, decode_code_page, load_code_page, put_utf8
from midiopt.core.text.encoding cimport ASCII, CODE_PAGE, NO_CODE_PAGE, UTF16_BE, UTF16_LE

cdef enum:
    MAX_NAME_CHARACTERS = 1000
    MAX_HEAP_BYTES = 1 << 30
    REPLACEMENT = 0xFFFD


cdef Status reserve_text(TextHeap *heap, size_t more) noexcept nogil:
    """Make room for `more` bytes behind those in the heap."""
    heap.bytes = <uint8_t *>reserve_block(heap.scratch, TEXT_BLOCK, heap.size + more, 1, MAX_HEAP_BYTES, True)
    return USABLE if heap.bytes != NULL else NO_MEMORY


cdef Status append_ascii(TextHeap *heap, const char *ascii, size_t length, Text *text) noexcept nogil:
    """Append `length` ASCII characters; `text` is set to them."""
    if reserve_text(heap, length):
        return NO_MEMORY
    memcpy(heap.bytes + heap.size, ascii, length)
    text.offset = heap.size
    text.length = length
    heap.size += length
    return USABLE


cdef Status append_text(TextHeap *heap, const RawText *raw, int code_page, Text *text) noexcept nogil:
    """Append a text as UTF-8, without NUL bytes, tags and blanks at its end, and at most 1,000 characters of it.

    `code_page` is that of the file, for a text that demands none. A blank text becomes null, and nothing is appended.
    """
    cdef uint8_t *out
    cdef size_t n
    cdef bint is_cut = False
    cdef Status status
    text.length = NULL_TEXT
    text.offset = 0
    if raw.length == 0:
        return USABLE
    if reserve_text(heap, raw.length * MAX_UTF8_PER_BYTE):
        return NO_MEMORY
    out = heap.bytes + heap.size
    if raw.encoding == UTF16_LE or raw.encoding == UTF16_BE:
        n = decode_utf16(raw, out)
    elif raw.encoding == CODE_PAGE:
        if raw.code_page != NO_CODE_PAGE:
            code_page = raw.code_page
        status = load_code_page(code_page)
        if status:
            return status
        n = decode_code_page(code_page, raw.bytes, raw.length, out)
    else:
        memcpy(out, raw.bytes, raw.length)
        n = raw.length
        if raw.encoding != ASCII:
            n = without_cut_character(out, n)
            is_cut = n < raw.length
    if not raw.is_plain:
        n = without_tags(out, n)
    n = cut_name(out, n)
    if not is_cut:  # before a cut, a blank is not the end of the name
        n = without_trailing_blanks(out, n)
    if n:
        text.offset = heap.size
        text.length = n
        heap.size += n
    return USABLE


cdef size_t decode_utf16(const RawText *raw, uint8_t *out) noexcept nogil:
    """UTF-16 to UTF-8, without NUL characters; half of a surrogate pair becomes U+FFFD. Returns the number of bytes.

    A single byte at the end of little-endian ASCII or Latin-1 is a character whose zero was taken for the end of the text, unless it
    is a control character, which is half of another one.
    """
    cdef const uint8_t *p = raw.bytes
    cdef bint is_little = raw.encoding == UTF16_LE
    cdef size_t i = 0, n = 0
    cdef uint32_t c, low, all_units = 0
    while i + 1 < raw.length:
        c = unit_at(p + i, is_little)
        i += 2
        all_units |= c
        if 0xD800 <= c < 0xE000:
            low = unit_at(p + i, is_little) if i + 1 < raw.length else 0
            if c < 0xDC00 and 0xDC00 <= low < 0xE000:
                c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00)
                i += 2
            else:
                c = REPLACEMENT
        if c:
            n += put_utf8(c, out + n)
    if i < raw.length and is_little and all_units < 0x100 and p[i] >= 0x20:
        n += put_utf8(p[i], out + n)
    return n


cdef inline uint32_t unit_at(const uint8_t *p, bint is_little) noexcept nogil:
    return p[0] | <uint32_t>p[1] << 8 if is_little else <uint32_t>p[0] << 8 | p[1]


cdef size_t without_cut_character(const uint8_t *utf8, size_t n) noexcept nogil:
    """The number of bytes without those of an incomplete character at the end."""
    cdef size_t i = n
    cdef size_t needed
    while i and utf8[i - 1] & 0xC0 == 0x80:
        i -= 1
    if i == 0 or utf8[i - 1] < 0xC0:
        return n
    needed = 2 if utf8[i - 1] < 0xE0 else 3 if utf8[i - 1] < 0xF0 else 4
    return n if n - (i - 1) == needed else i - 1


cdef size_t without_tags(uint8_t *utf8, size_t n) noexcept nogil:
    """Remove NUL bytes, language tags {@...} and song information {#...} in place; returns the number of bytes left."""
    cdef const uint8_t *closing = utf8
    cdef size_t i = 0, kept = 0
    while i < n:
        if utf8[i] == 0x7B and i + 2 < n and (utf8[i + 1] == 0x40 or utf8[i + 1] == 0x23) and closing != NULL:
            closing = <const uint8_t *>memchr(utf8 + i, 0x7D, n - i)
            if closing != NULL:
                i = closing + 1 - utf8
                continue
        if utf8[i]:
            utf8[kept] = utf8[i]
            kept += 1
        i += 1
    return kept


cdef size_t without_trailing_blanks(const uint8_t *utf8, size_t n) noexcept nogil:
    """The number of bytes without the blanks at the end: those of ASCII, the no-break space and the ideographic space."""
    while n:
        if utf8[n - 1] == 0x20 or 0x09 <= utf8[n - 1] <= 0x0D:
            n -= 1
        elif n >= 2 and utf8[n - 2] == 0xC2 and utf8[n - 1] == 0xA0:
            n -= 2
        elif n >= 3 and utf8[n - 3] == 0xE3 and utf8[n - 2] == 0x80 and utf8[n - 1] == 0x80:
            n -= 3
        else:
            break
    return n


cdef size_t cut_name(const uint8_t *utf8, size_t n) noexcept nogil:
    """Number of bytes of the first MAX_NAME_CHARACTERS characters."""
    cdef size_t i, characters = 0
    if n <= MAX_NAME_CHARACTERS:
        return n
    for i in range(n):
        characters += utf8[i] & 0xC0 != 0x80
        if characters > MAX_NAME_CHARACTERS:
            return i
    return n
