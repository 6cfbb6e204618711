from libc.stddef cimport size_t
from libc.stdint cimport uint8_t

from midiopt.core.memory cimport Scratch
from midiopt.core.notes.types cimport NoteColumns
from midiopt.core.smf.midi cimport Status

cdef enum:
    KEYS = 5  # by which a pulse is compared with those before and after: low, high, loud, many notes, long
    MAX_KEY = 255
    PULSE_BLOCK_SIZE = 64  # pulses that are rated at a time
    KEY_MARGIN = 64  # keys of 0 before the first pulse and after the last one: lower than any

cdef struct Pulse:  # notes that begin together
    double seconds  # of the first of them
    float longest  # seconds
    float loudness  # their velocities added up
    float beat  # score: about the logarithm of the odds
    float downbeat  # likewise

cdef struct TimedNote:
    double seconds  # of its pulse
    float length  # seconds
    uint8_t sound  # pitch << 1 | is drum
    uint8_t velocity

cdef struct Pulses:
    TimedNote *notes  # of all pulses, in time order
    size_t count
    Pulse *items  # in time order
    uint8_t *keys[KEYS]  # from 1 on, of each pulse, between margins


# Domain: notes with times that are finite. The scores are not set.
cdef Status group_notes(Pulses *pulses, Scratch *scratch, const NoteColumns *notes) noexcept nogil
