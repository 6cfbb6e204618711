"""Bytes of a code page to UTF-8, by tables that are filled from Python's codecs when a code page first occurs.

A call of a codec per name, with the lock of the interpreter, cost 0.5 us; of 1,000 names of a file, more than the rest of it.
"""

from _thread import RLock

from libc.stdint cimport uint16_t

from midiopt.core.smf.midi cimport NO_MEMORY, USABLE
from midiopt.core.text.once cimport is_done, set_done

cdef enum:
    UNDEFINED = 0xFFFF
    REPLACEMENT = 0xFFFD

cdef struct CodePage:
    int is_loaded
    uint16_t singles[0x80]  # code points of the bytes from 0x80
    uint16_t pairs[0x80 * TRAILS]  # of a lead and a trail byte: all UNDEFINED in a code page of single bytes

cdef CodePage[CODE_PAGE_COUNT] PAGES  # zeroed, that is not loaded

# Held by the thread that fills a table: Python code runs meanwhile, in which another thread may begin to fill it too.
FILLING = RLock()

# In the order of the enum. Bytes that a code page of Windows leaves undefined are control characters, as in the WHATWG Encoding Standard.
_CODECS = ("cp932", "cp1252", "gbk", "cp1251", "cp949", "cp950", "koi8-r", "cp1250", "cp437", "mac-roman")


cdef bint has_double_bytes(int page) noexcept nogil:
    """Whether a code page has characters of two bytes."""
    return page in (SHIFT_JIS, GBK, EUC_KR, BIG5)


cdef bint is_pair(int page, uint32_t lead, uint32_t trail) noexcept nogil:
    """Whether two bytes, from 80 and from 40, are a character of a loaded code page."""
    return PAGES[page].pairs[pair_index(lead, trail)] != UNDEFINED


cdef Status load_code_page(int page) noexcept nogil:
    """Fill the tables of a code page, once per process: 0.1 ms, or 3 ms with double bytes."""
    return USABLE if is_done(&PAGES[page].is_loaded) else fill_tables(page)


cdef Status fill_tables(int page) noexcept with gil:
    try:
        with FILLING:
            if not PAGES[page].is_loaded:
                fill_page(&PAGES[page], _CODECS[page], has_double_bytes(page))
                set_done(&PAGES[page].is_loaded)
    except MemoryError:
        return NO_MEMORY
    return USABLE


cdef int fill_page(CodePage *page, str codec, bint is_double) except -1:
    cdef int i
    for i in range(0x80):
        character = bytes([0x80 + i]).decode(codec, "replace")
        page.singles[i] = ord(character) if character != "\N{REPLACEMENT CHARACTER}" else UNDEFINED if is_double else 0x80 + i
    for i in range(0x80 * TRAILS):
        page.pairs[i] = UNDEFINED
    if is_double:
        for i, character in enumerate(all_pairs().decode(codec, "replace").split("\0")):
            if len(character) == 1 and character != "\N{REPLACEMENT CHARACTER}":
                page.pairs[i] = ord(character)
    return 0


cdef bytes all_pairs():
    """Each lead with each trail byte, with NUL bytes between them."""
    cdef bytearray pairs = bytearray(3 * 0x80 * TRAILS)
    cdef int i
    for i in range(0x80 * TRAILS):
        pairs[3 * i] = FIRST_LEAD + i // TRAILS
        pairs[3 * i + 1] = FIRST_TRAIL + i % TRAILS
    return bytes(pairs)[: 3 * 0x80 * TRAILS - 1]


cdef size_t decode_code_page(int page, const uint8_t *p, size_t length, uint8_t *out) noexcept nogil:
    """Write `length` bytes of a loaded code page as UTF-8, at most MAX_UTF8_PER_BYTE bytes each; returns the number of bytes written.

    A byte that begins no character becomes U+FFFD, as Python's codecs have it.
    """
    cdef const CodePage *tables = &PAGES[page]
    cdef size_t i = 0, n = 0
    cdef uint32_t c
    while i < length:
        c = p[i]
        i += 1
        if c < 0x80:
            out[n] = <uint8_t>c
            n += 1
            continue
        if i < length and p[i] >= FIRST_TRAIL and tables.pairs[pair_index(c, p[i])] != UNDEFINED:
            c = tables.pairs[pair_index(c, p[i])]
            i += 1
        else:
            c = tables.singles[c - 0x80]
            if c == UNDEFINED:
                c = REPLACEMENT
        n += put_utf8(c, out + n)
    return n


cdef size_t put_utf8(uint32_t c, uint8_t *out) noexcept nogil:
    """Write a code point as UTF-8; returns the number of bytes."""
    if c < 0x80:
        out[0] = <uint8_t>c
        return 1
    if c < 0x800:
        out[0] = <uint8_t>(0xC0 | c >> 6)
        out[1] = <uint8_t>(0x80 | (c & 0x3F))
        return 2
    if c < 0x10000:
        out[0] = <uint8_t>(0xE0 | c >> 12)
        out[1] = <uint8_t>(0x80 | (c >> 6 & 0x3F))
        out[2] = <uint8_t>(0x80 | (c & 0x3F))
        return 3
    out[0] = <uint8_t>(0xF0 | c >> 18)
    out[1] = <uint8_t>(0x80 | (c >> 12 & 0x3F))
    out[2] = <uint8_t>(0x80 | (c >> 6 & 0x3F))
    out[3] = <uint8_t>(0x80 | (c & 0x3F))
    return 4
