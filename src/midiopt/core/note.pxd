# Notes, and what is counted of them while a file is analysed.

from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

# 16 bytes that move as one.
cdef struct Pair:
    uint64_t key
    uint64_t value

# A note is a pair: onset tick << 8 | pitch << 1 | drum, and ticks << 8 | velocity. While it sounds the
# ticks are not known, and their place holds the address of the next note in the ring of its channel and pitch.
#
# A step is a pair too: tick << 1 | 1 if more notes sound from it on, and by how many (as int64_t).
cdef enum:
    TICKS = 8  # shift of the ticks in a note's key and value

cdef struct ProgramChange:
    int64_t tick
    uint32_t event
    uint8_t channel
    uint8_t program

cdef struct Tally:  # counts over a whole file; reset for each (4.7 KB)
    double sounding[256]  # seconds by pitch << 1 | drum
    uint32_t pitches[256]  # notes by pitch << 1 | drum
    uint32_t velocities[128]
    uint32_t programs[128]  # notes by program, drums excluded
    uint32_t channels[16]  # notes by channel
    uint32_t control_changes, sustain_pedals, pitch_bends
    double polyphonic  # seconds in which any pitched note sounds
    int64_t polyphony_max
    int64_t last_end  # tick, of the sequence in hand
    double first_note_s, last_note_s
    uint64_t fingerprint  # see fingerprint.pyx
    bint stuck

cdef struct Notes:
    Pair *notes  # of the sequence in hand
    size_t note_count, note_capacity
    Pair *steps  # of all its tracks: changes in the number of sounding pitched notes
    size_t step_count, step_capacity
    Pair *spare  # scratch of sorting and of the fingerprint
    size_t spare_capacity
    Pair *newest[2048]  # sounding note of a channel and pitch, the oldest next in its ring; all NULL between tracks
    ProgramChange *changes
    size_t change_capacity
    size_t change_start[17]  # changes of channel c: change_start[c] to change_start[c + 1]
    const ProgramChange *next_change[16]  # of the track in hand, by channel
    int64_t next_tick[16]  # when it comes
    uint32_t struck[16]  # notes under the present program
    uint8_t program[16]
    Tally tally
