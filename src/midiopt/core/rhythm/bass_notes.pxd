# Which notes are bass: pitched ones well below the median pitch, bass drums, snares, sticks and claps.

from libc.stdint cimport uint32_t

cdef enum:
    FIRST_BASS_DRUM = 35  # General MIDI percussion
    BASS_DRUM_COUNT = 6


cdef inline uint32_t bass_factor(uint32_t sound, uint32_t first_middle_pitch) noexcept nogil:
    """How much a note's loudness counts as bass, 0 to 2. `sound` is its pitch << 1 | is drum; notes are low below
    `first_middle_pitch`. Without a branch, for vectors."""
    cdef uint32_t pitch = sound >> 1
    cdef uint32_t of_drum = 2 if pitch - FIRST_BASS_DRUM < BASS_DRUM_COUNT else 0
    cdef uint32_t of_pitch = 1 if pitch < first_middle_pitch else 0
    return of_drum if sound & 1 else of_pitch
