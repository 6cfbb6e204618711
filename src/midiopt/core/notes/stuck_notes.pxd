from libc.stddef cimport size_t
from libc.stdint cimport uint32_t

from midiopt.core.notes.pairing cimport Pairing
from midiopt.core.notes.types cimport Notes
from midiopt.core.smf.arena cimport Arena
from midiopt.core.smf.midi cimport Event, Status

cdef Status pair_again(
    Notes *notes, Pairing *pairing, size_t note, const Event *first, const Event *end, uint32_t track, bint alone
) noexcept nogil
cdef Status end_stuck_notes(Notes *notes, const Arena *arena, size_t first_track, size_t end_track) noexcept nogil
