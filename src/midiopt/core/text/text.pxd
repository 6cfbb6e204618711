from libc.stddef cimport size_t
from libc.stdint cimport uint8_t

from midiopt.core.facts cimport Text
from midiopt.core.memory cimport Scratch
from midiopt.core.smf.midi cimport Status
from midiopt.core.text.encoding cimport RawText

# The UTF-8 text of one file, which its text columns point into, before it joins the heap of the batch.
cdef struct TextHeap:
    Scratch *scratch  # owns the bytes
    uint8_t *bytes
    size_t size


cdef Status append_ascii(TextHeap *heap, const char *ascii, size_t length, Text *text) noexcept nogil
cdef size_t decode_utf16(const RawText *raw, uint8_t *out) noexcept nogil
cdef Status append_text(TextHeap *heap, const RawText *raw, int code_page, Text *text) noexcept nogil
