"""Names in a MIDI file, in whatever encoding, to UTF-8 in a heap."""

from libc.stdlib cimport free
from libc.string cimport memcpy, memset

from .facts cimport NULL_TEXT
from .memory cimport KEPT_BYTES, reserve
from .midi cimport NO_MEMORY, USABLE

cdef enum:
    MOST_CHARACTERS = 1000  # of a name
    MOST_BYTES = 1 << 30  # of a heap


cdef Status room(Heap *heap, size_t more) noexcept nogil:
    if reserve(<void **>&heap.bytes, &heap.capacity, heap.size + more, 1, MOST_BYTES, True):
        return NO_MEMORY
    return USABLE


cdef Status put_ascii(Heap *heap, const char *ascii, size_t length, Text *text) noexcept nogil:
    if room(heap, length):
        return NO_MEMORY
    memcpy(heap.bytes + heap.size, ascii, length)
    text.offset = heap.size
    text.length = length
    heap.size += length
    return USABLE


cdef Status put_name(Heap *heap, const uint8_t *data, size_t length, Text *text) noexcept nogil:
    """Append a name: NUL removed, UTF-8 if it is that, else Latin-1, at most 1,000 characters. Nothing
    is appended, and the text is null, when it is blank."""
    cdef uint8_t *out
    cdef size_t i, n = 0, characters = 0
    cdef bint blank = True
    text.length = NULL_TEXT
    text.offset = 0
    if length == 0:
        return USABLE
    if room(heap, length + 2 * MOST_CHARACTERS):
        return NO_MEMORY
    out = heap.bytes + heap.size
    for i in range(length):
        if data[i]:
            out[n] = data[i]
            n += 1
            blank &= data[i] == 0x20 or 0x09 <= data[i] <= 0x0D
    if blank:
        return USABLE
    if is_utf8(out, n):
        for i in range(n):
            characters += out[i] & 0xC0 != 0x80
            if characters > MOST_CHARACTERS:
                n = i
                break
    else:
        n = from_latin1(data, length, out)
    text.offset = heap.size
    text.length = n
    heap.size += n
    return USABLE


cdef size_t from_latin1(const uint8_t *data, size_t length, uint8_t *out) noexcept nogil:
    """Write the first 1,000 characters but NUL as UTF-8; returns the number of bytes, at most 2,000."""
    cdef size_t i, n = 0, characters = 0
    for i in range(length):
        if data[i] == 0:
            continue
        if data[i] < 0x80:
            out[n] = data[i]
            n += 1
        else:
            out[n] = 0xC0 | data[i] >> 6
            out[n + 1] = 0x80 | (data[i] & 0x3F)
            n += 2
        characters += 1
        if characters == MOST_CHARACTERS:
            break
    return n


cdef bint is_utf8(const uint8_t *p, size_t length) noexcept nogil:
    """Well-formed UTF-8 (Unicode 15, table 3-7): no overlong forms, no surrogates, up to U+10FFFF."""
    cdef size_t i = 0, more, k
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
            return False
        if i + more >= length or not low <= p[i + 1] <= high:
            return False
        for k in range(2, more + 1):
            if p[i + k] & 0xC0 != 0x80:
                return False
        i += more + 1
    return True


cdef void heap_trim(Heap *heap) noexcept nogil:
    if heap.capacity > KEPT_BYTES:
        heap_free(heap)


cdef void heap_free(Heap *heap) noexcept nogil:
    free(heap.bytes)
    memset(heap, 0, sizeof(Heap))
