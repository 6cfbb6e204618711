from libc.stddef cimport size_t
from libc.stdint cimport uint8_t

from midiopt.core.facts cimport Text
from midiopt.core.smf.midi cimport Status

# The UTF-8 that one file's text columns point into, before it joins the batch's heap.
cdef struct TextHeap:
    uint8_t *bytes
    size_t size, capacity


cdef Status append_ascii(TextHeap *heap, const char *ascii, size_t length, Text *text) noexcept nogil
cdef Status append_name(TextHeap *heap, const uint8_t *data, size_t length, int otherwise, Text *text) noexcept nogil
cdef void heap_trim(TextHeap *heap) noexcept nogil
cdef void heap_free(TextHeap *heap) noexcept nogil
