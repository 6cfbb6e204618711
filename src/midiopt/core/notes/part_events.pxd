from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint32_t

from midiopt.core.smf.midi cimport Event

# What sets the sound of a part.
cdef enum PartEventKind:
    PROGRAM  # a program change under a bank that decides nothing, or none
    PROGRAM_OF_DRUMS  # under General MIDI 2 bank 120
    PROGRAM_OF_XG_DRUMS  # under bank 126 or 127, which are drums in XG, and MT-32 sounds in GS
    PROGRAM_OF_MELODY  # under General MIDI 2 bank 121
    MODE_MELODY  # a system-exclusive message makes the part melodic
    MODE_DRUMS  # or drums

cdef struct PartMode:
    bint is_xg  # whether the message is one of XG
    bint found  # whether it sets the mode of a part
    uint8_t channel
    bint drums


cdef PartMode read_part_mode(const uint8_t *p, size_t length) noexcept nogil
cdef int find_bank(const Event *event, const Event *first, uint32_t channel) noexcept nogil
cdef PartEventKind kind_of_bank(int bank) noexcept nogil
cdef bint is_kit(uint32_t program) noexcept nogil
