# Notes, and what is counted of them while a file is analysed.

from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from midiopt.core.smf.midi cimport MOST_TRACKS

# 16 bytes that move as one.
cdef struct Pair:
    uint64_t key
    uint64_t value

# A note is a pair: onset tick << 8 | pitch << 1 | drum, and ticks << 8 | velocity. While it sounds the
# ticks are not known, and their place holds the address of the next note in the ring of its channel and pitch.
#
# A step is where a pitched note begins or ends: tick << 1, and 1 when it begins.
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
    int64_t first_onset, last_end  # ticks, of the sequence in hand
    double first_note_s, last_note_s
    uint64_t fingerprint  # see notes_hash.pyx
    bint stuck

cdef struct Notes:
    Pair *notes  # of the sequence in hand
    size_t note_count, note_capacity
    uint64_t *steps  # of all its tracks, each track's in order of ticks
    size_t step_count, step_capacity
    const uint64_t *in_order  # the steps of all tracks in time order, once polyphony is measured
    uint32_t run_ends[MOST_TRACKS]  # where the steps of each track that has any end
    size_t run_count
    Pair *spare  # scratch of sorting and of the fingerprint
    size_t spare_capacity
    Pair *newest[2048]  # sounding note of a channel and pitch, the oldest next in its ring; all NULL between tracks
    ProgramChange *changes
    size_t change_capacity
    size_t change_start[17]  # changes of channel c: change_start[c] to change_start[c + 1]
    const ProgramChange *next_change[16]  # of the track in hand, by channel
    int64_t next_tick[16]  # when it comes
    uint32_t struck[16]  # notes under the present program
    uint64_t ticks[256]  # lengths added up, by pitch << 1 | drum, of the sequence in hand
    uint8_t program[16]
    Tally tally
