from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from .arena cimport Arena
from .facts cimport Facts
from .midi cimport Status
from .tempo cimport TempoMap

cdef struct Note:  # 32 bytes
    int64_t on  # tick
    int64_t off  # tick; -1 while it sounds
    double seconds  # of its onset
    uint32_t next  # the next sounding note of the same channel and pitch
    uint8_t pitch
    uint8_t velocity
    uint8_t drum  # 1 on channel 10
    uint8_t channel

# What notes_hash is taken of: 16 bytes a note.
cdef struct Record:
    double onset  # quarters
    float length  # quarters
    uint8_t pitch
    uint8_t velocity
    uint8_t drum
    uint8_t zero

cdef struct ProgramChange:
    int64_t tick
    uint32_t event
    uint8_t channel
    uint8_t program

cdef struct Tally:  # counts over a whole file; reset for each (2.7 KB)
    double sounding[128]  # seconds by pitch, drums excluded
    uint32_t pitches[128]  # notes by pitch, drums excluded
    uint32_t velocities[128]
    uint32_t programs[128]  # notes by program, drums excluded
    uint32_t channels[16]  # notes by channel
    uint32_t control_changes, sustain_pedals, pitch_bends
    double polyphonic  # seconds in which any pitched note sounds
    int64_t polyphony_max
    int64_t last_end  # tick, of the sequence in hand
    double first_note_s, last_note_s
    size_t record_count
    bint stuck

cdef struct Notes:
    Note *notes  # of the sequence in hand
    size_t note_count, note_capacity
    ProgramChange *changes
    size_t change_count, change_capacity
    size_t change_start[17]  # changes of channel c: change_start[c] to change_start[c + 1]
    uint32_t oldest[2048]  # sounding notes by channel and pitch; SILENT between tracks
    uint32_t newest[2048]
    uint64_t *keys  # sort scratch: two of each
    uint64_t *keys_spare
    uint32_t *order  # twice note_capacity
    size_t key_capacity, spare_capacity, order_capacity
    Record *records  # of all sequences, in order
    size_t record_capacity
    Tally tally


cdef void notes_init(Notes *notes) noexcept nogil
cdef void notes_begin(Notes *notes) noexcept nogil
cdef Status read_notes(Notes *notes, const Arena *arena, const uint8_t *data, const TempoMap *map, size_t first, size_t last) noexcept nogil
cdef void note_facts(const Notes *notes, Facts *facts) noexcept nogil
cdef void notes_trim(Notes *notes) noexcept nogil
cdef void notes_free(Notes *notes) noexcept nogil
