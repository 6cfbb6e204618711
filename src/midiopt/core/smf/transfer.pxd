from libc.stddef cimport size_t
from libc.stdint cimport uint8_t

from midiopt.core.memory cimport Scratch

# What tells that a transfer was undone.
cdef enum Evidence:
    LENGTHS  # all lengths fit
    HEADER_AND_LINE_FEEDS  # header and first track are where they should be, and there are line feeds alone, or none
    HEADER

# A file whose bytes a transfer has changed, as it was before.
cdef struct Restored:
    const uint8_t *data  # NULL if nothing can be undone; else in TRANSFER_BLOCK
    size_t size
    size_t first_change  # offset of the first byte of the file that differs
    bint text_mode, unicode  # what was undone


cdef Restored undo_transfer(const uint8_t *data, size_t size, Scratch *scratch, Evidence evidence) noexcept nogil
cdef size_t count_line_ends(const uint8_t *data, size_t size) noexcept nogil
