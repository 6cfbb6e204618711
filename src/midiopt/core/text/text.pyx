"""Texts of a MIDI file, in whatever charset, to UTF-8 in a heap."""

from cpython.unicode cimport PyUnicode_Decode
from libc.stdint cimport uint16_t
from libc.string cimport memcpy

from midiopt.core.facts cimport NULL_TEXT
from midiopt.core.memory cimport TEXT_BLOCK, reserve_block
from midiopt.core.smf.midi cimport NO_MEMORY, USABLE
from midiopt.core.text.charset cimport CP1252, SHIFT_JIS, cp1252_code_point, is_utf8

cdef extern from "Python.h":
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) except NULL

cdef enum:
    MAX_NAME_CHARACTERS = 1000
    MAX_HEAP_BYTES = 1 << 30


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


cdef Status append_name(TextHeap *heap, const uint8_t *data, size_t length, int charset, Text *text) noexcept nogil:
    """Append a name without its NUL bytes: as UTF-8 if it is that, else decoded from `charset`; at most 1,000 characters.

    A blank name becomes a null text, and nothing is appended.
    """
    cdef uint8_t *out
    cdef size_t i, n = 0
    cdef bint blank = True
    cdef Status status
    text.length = NULL_TEXT
    text.offset = 0
    if length == 0:
        return USABLE
    if reserve_text(heap, length + 3 * MAX_NAME_CHARACTERS):
        return NO_MEMORY
    out = heap.bytes + heap.size
    for i in range(length):
        if data[i]:
            out[n] = data[i]
            n += 1
            blank &= data[i] == 0x20 or 0x09 <= data[i] <= 0x0D
    if blank:
        return USABLE
    if not is_utf8(out, n):
        if charset == CP1252:
            n = decode_cp1252(data, length, out)
        else:
            status = decode_double_byte(heap, charset, &n)
            if status:
                return status
            out = heap.bytes + heap.size
    text.offset = heap.size
    text.length = cut_name(out, n)
    heap.size += text.length
    return USABLE


cdef size_t cut_name(const uint8_t *utf8, size_t n) noexcept nogil:
    """Number of bytes of the first MAX_NAME_CHARACTERS characters."""
    cdef size_t i, characters = 0
    for i in range(n):
        characters += utf8[i] & 0xC0 != 0x80
        if characters > MAX_NAME_CHARACTERS:
            return i
    return n


cdef size_t decode_cp1252(const uint8_t *data, size_t length, uint8_t *out) noexcept nogil:
    """Write the first MAX_NAME_CHARACTERS characters, without NUL, as UTF-8; returns the number of bytes, at most 3 per character."""
    cdef size_t i, n = 0, characters = 0
    cdef uint16_t c
    for i in range(length):
        c = cp1252_code_point(data[i])
        if c == 0:
            continue
        if c < 0x80:
            out[n] = <uint8_t>c
            n += 1
        elif c < 0x800:
            out[n] = 0xC0 | c >> 6
            out[n + 1] = 0x80 | (c & 0x3F)
            n += 2
        else:
            out[n] = 0xE0 | c >> 12
            out[n + 1] = 0x80 | (c >> 6 & 0x3F)
            out[n + 2] = 0x80 | (c & 0x3F)
            n += 3
        characters += 1
        if characters == MAX_NAME_CHARACTERS:
            break
    return n


cdef Status decode_double_byte(TextHeap *heap, int charset, size_t *length) noexcept with gil:
    """Decode the `length` bytes behind the heap's end in place, with Python's codec; what it cannot decode becomes U+FFFD."""
    cdef Py_ssize_t size
    cdef const char *utf8
    try:
        name = PyUnicode_Decode(<const char *>heap.bytes + heap.size, length[0], "cp932" if charset == SHIFT_JIS else "gbk", "replace")
        name = name[:MAX_NAME_CHARACTERS]  # in a variable, because it owns the bytes below
        utf8 = PyUnicode_AsUTF8AndSize(name, &size)
    except MemoryError:
        return NO_MEMORY
    if reserve_text(heap, size):
        return NO_MEMORY
    memcpy(heap.bytes + heap.size, utf8, size)
    length[0] = size
    return USABLE
