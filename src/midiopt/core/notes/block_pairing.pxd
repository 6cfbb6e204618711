from libc.stdint cimport uint32_t

from midiopt.core.notes.pairing cimport Pairing
from midiopt.core.notes.types cimport Notes
from midiopt.core.smf.midi cimport Event


cdef void pair_in_blocks(Notes *notes, Pairing *pairing, const Event *event, const Event *end, uint32_t row) noexcept nogil
