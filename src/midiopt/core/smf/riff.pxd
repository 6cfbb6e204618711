from libc.stddef cimport size_t
from libc.stdint cimport uint8_t

from midiopt.core.smf.midi cimport Header

cdef void read_riff_title(const uint8_t *data, size_t at, size_t size, Header *header) noexcept nogil
