"""Words in the name of a track in any script."""

from libc.string cimport memcmp, memcpy

from midiopt.core.text.encoding cimport MAX_TEXT_BYTES, UTF16_BE, UTF16_LE, RawText, read_text
from midiopt.core.text.text cimport decode_utf16


cdef int fill_words(NameWords *table, words) except -1:
    """Fill a table with the words of code_page_words.py, each once."""
    cdef int i, byte
    cdef const uint8_t *data
    words = sorted(set(words))
    if len(words) > MAX_NAME_WORDS or max(len(word.data) for word in words) > NAME_WORD_BYTES:
        raise ValueError("the words need larger tables")
    for i, word in enumerate(words):
        data = word.data
        memcpy(table.words[i].bytes, data, len(word.data))
        table.words[i].length, table.words[i].kind = len(word.data), word.kind
        table.words[i].has_pairs, table.words[i].is_whole = word.has_pairs, word.is_whole
    i = 0
    for byte in range(257):
        while i < len(words) and words[i].data[0] < byte:
            i += 1
        table.first[byte] = i
    return 0


cdef void read_name(Name *name, const uint8_t *bytes, size_t length) noexcept nogil:
    """The name's own bytes without a mark, or those of its UTF-16 in UTF-8."""
    cdef RawText text
    if length >= 2 and (bytes[0] >= 0xFE or bytes[0] == 0x7B):
        text = read_text(bytes, length)
        if text.encoding == UTF16_LE or text.encoding == UTF16_BE:
            text.length = min(text.length, <size_t>MAX_UTF16_BYTES)
            name.bytes, name.length = name.utf8, decode_utf16(&text, name.utf8)
            return
    name.bytes, name.length = bytes, min(length, <size_t>MAX_TEXT_BYTES)
    if name.length >= 3 and memcmp(bytes, b"\xEF\xBB\xBF", 3) == 0:
        name.bytes += 3
        name.length -= 3


cdef uint32_t find_words(const NameWords *table, const uint8_t *name, size_t length) noexcept nogil:
    """The kinds of the words that are in the name, none of which is ASCII throughout."""
    cdef size_t i, run = 0  # bytes above 127 before this one
    cdef int k
    cdef uint32_t kinds = 0
    cdef uint8_t high = 0
    cdef const NameWord *word
    for i in range(length):
        high |= name[i]
    if high < 0x80:
        return 0
    for i in range(length):
        for k in range(table.first[name[i]], table.first[name[i] + 1]):
            word = &table.words[k]
            if (
                word.length <= length - i  # two bytes at least
                and word.bytes[1] == name[i + 1]
                and memcmp(word.bytes, name + i, word.length) == 0
                and not (word.has_pairs and run & 1)
                and not (word.is_whole and word.length < length)
            ):
                kinds |= word.kind
        run = run + 1 if name[i] >= 0x80 else 0
    return kinds
