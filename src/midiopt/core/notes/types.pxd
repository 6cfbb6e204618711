# Notes as columns, and the counts that are taken from them while a file is analysed.

from libc.stddef cimport size_t
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from midiopt.core.memory cimport Scratch
from midiopt.core.smf.midi cimport MAX_TRACKS
from midiopt.core.timeline.timed_values cimport TimedValue, TimedValues

cdef enum:
    SWEEP_BLOCK = 256  # boundaries that measure_polyphony processes at a time
    NOTE_GROUP = 256  # notes that add_notes_hash processes at a time
    PAIRING_BLOCK = 512  # events that pair_in_blocks processes at a time
    SLOTS = 2048  # of channels and pitches: channel << 7 | pitch
    NO_SLOT = SLOTS  # of events without a note
    SILENCE_SLOT = SLOTS + 1  # of controllers that end all notes of a channel
    NARROW_TICK_BITS = 30  # ticks of a file whose columns have 32 bits: twice a tick and one fit, too
    # Bits of a note's traits.
    VELOCITY_SHIFT = 8
    CHANNEL_SHIFT = 16
    PROGRAM_SHIFT = 24
    MAX_PORTS = 16  # ports that are told apart; any beyond share the last
    MAX_PARTS = 16 * MAX_PORTS

# Ticks of a file: 32 bits in all but those that last for weeks, see reset_note_counts.
ctypedef fused tick_t:
    int32_t
    int64_t

# The notes of a sequence, track after track, in the order of their onsets: an item per note in each column.
cdef struct NoteColumns:
    size_t count
    bint wide  # whether columns of ticks have 64 bits
    void *onset  # ticks
    void *length  # ticks; while a note sounds, see pairing.pxd
    uint32_t *traits  # sound, velocity, channel and program, from the low byte on
    uint8_t *sound  # pitch << 1 | is drum: an index of tables; filled with velocity by split_traits
    uint8_t *velocity
    uint8_t *channel  # filled with the two that follow by split_for_view
    uint8_t *program  # in force at the onset
    uint8_t *pitch
    uint16_t *track  # index in the file
    double *onset_s  # seconds
    double *end_s  # seconds

cdef struct NoteCounts:  # of a whole file, reset for each (4.7 KB)
    double note_seconds[256]  # lengths added up, by pitch << 1 | is drum
    uint32_t pitches[256]  # notes, by pitch << 1 | is drum
    uint32_t velocities[128]  # notes, by velocity
    uint32_t programs[128]  # notes, by program, without drums
    uint32_t channels[16]  # notes, by channel
    uint32_t drums  # notes
    uint32_t control_changes, sustain_pedals, pitch_bends
    double sounding_seconds  # time in which at least one pitched note sounds
    int64_t polyphony_max
    int64_t first_onset, last_end  # ticks, of the current sequence
    double first_note_s, last_note_s
    uint64_t notes_hash  # see notes_hash.pyx
    bint has_stuck_note, has_drums_by_name

cdef struct Port:
    const uint8_t *name  # the data of the meta event
    size_t length
    uint8_t type  # of the meta event: META_PORT or META_DEVICE_NAME
    uint8_t id

cdef struct TrackParts:  # what read_parts finds of a track
    uint8_t port  # id of the first one that it names
    uint8_t changes_port  # 1 if it names another one later
    uint8_t says_drums  # 1 if its name, or that of its instrument, says drums or percussion

# A note that nothing in its own track ends, see stuck_notes.pyx.
cdef struct StuckNote:
    size_t note  # its row
    bint ended  # whether its end is known
    StuckNote *next  # of the same channel and pitch, while it waits for a note-off
    uint32_t slot  # channel << 7 | pitch
    uint32_t track

cdef struct PairingBlock:  # scratch memory of block_pairing.pyx, event after event
    uint32_t slots[PAIRING_BLOCK]
    uint32_t masks[PAIRING_BLOCK]  # all bits of an event that begins a note, SEVERAL of any other
    uint64_t starts[PAIRING_BLOCK]  # tick | message << 32
    uint64_t begun[PAIRING_BLOCK]  # those of events that begin a note

cdef struct Notes:
    int64_t levels[SWEEP_BLOCK]  # scratch memory: sounding notes after each boundary of a block
    double onset_quarters[NOTE_GROUP]  # scratch memory: of a group of notes
    double length_quarters[NOTE_GROUP]  # likewise
    double classes[16]  # scratch memory: seconds by pitch class
    PairingBlock block
    Scratch *scratch  # owns the arrays
    NoteColumns columns  # of the current sequence
    bint counts_notes  # whether notes are counted and their boundaries collected
    # On and off boundaries of pitched notes, as tick << 1 | is onset, as wide as the ticks. Those of a track form a run in time order.
    void *boundaries
    size_t boundary_count
    const void *sorted_boundaries  # of all tracks, in time order; set by measure_polyphony
    uint32_t run_ends[2 * MAX_TRACKS + MAX_PORTS]  # end of each run in `boundaries`: see stuck_notes.pyx for more than one per track
    size_t run_count
    uint32_t sounding[SLOTS + 2]  # by slot: the sounding notes, see pairing.pxd; 0 between tracks, but SEVERAL for SILENCE_SLOT
    size_t notes_at_silence[16]  # by channel: notes of the sequence when a controller last ended those of the channel
    uint32_t held[2048]  # scratch memory of stuck_notes.pyx, by channel << 7 | pitch
    uint32_t run_start[2048]  # likewise
    StuckNote *waiting[2048]  # likewise; NULL between sequences
    uint32_t waiting_notes[16]  # by channel
    StuckNote *stuck  # of the current sequence, track after track
    size_t stuck_count
    TimedValues releases  # what may end them
    TrackParts tracks[MAX_TRACKS]
    Port ports[MAX_PORTS]
    int port_count
    uint32_t port_ids  # the highest id
    bint has_xg  # whether there is a message of XG
    bint track_is_drums  # the current track, by its name and notes
    TimedValues part_events  # see parts.pyx: what sets the sounds of all parts, in time order
    TimedValue *changes  # what they leave in force, part after part: the program, and DRUMS_BIT
    size_t change_start[MAX_PARTS + 2]  # part p has the changes from change_start[p] to change_start[p + 1]; the last is scratch
    const size_t *starts  # change_start of the parts of the current port
    const TimedValue *next_change[16]  # by channel, of the current track
    int64_t next_tick[16]  # tick of next_change, INT64_MAX if there is none
    uint32_t pending_notes[16]  # by channel: notes since the last change, not yet in the counts
    uint64_t length_ticks[256]  # scratch memory: lengths added up, by pitch << 1 | is drum
    uint32_t part_traits[16]  # in force, by channel: the traits of its notes without pitch and velocity
    NoteCounts counts


cdef inline uint32_t note_traits(uint32_t part_traits, uint32_t message) noexcept nogil:
    """The traits of a note that begins, by those of its part."""
    return part_traits | (message >> 7 & 0xFE) | (message >> 8 & 0x7F00)


cdef inline int64_t onset_of(const NoteColumns *notes, size_t i) noexcept nogil:
    """The onset of a note in ticks."""
    return (<const int64_t *>notes.onset)[i] if notes.wide else (<const int32_t *>notes.onset)[i]


cdef inline int64_t length_of(const NoteColumns *notes, size_t i) noexcept nogil:
    """The length of a note in ticks."""
    return (<const int64_t *>notes.length)[i] if notes.wide else (<const int32_t *>notes.length)[i]


cdef inline void set_onset(NoteColumns *notes, size_t i, int64_t onset) noexcept nogil:
    if notes.wide:
        (<int64_t *>notes.onset)[i] = onset
    else:
        (<int32_t *>notes.onset)[i] = <int32_t>onset


cdef inline bint is_drum(const NoteColumns *notes, size_t i) noexcept nogil:
    return notes.traits[i] & 1


cdef inline int64_t boundary_of(const Notes *notes, size_t i) noexcept nogil:
    """An item of Notes.boundaries."""
    return (<const int64_t *>notes.boundaries)[i] if notes.columns.wide else (<const int32_t *>notes.boundaries)[i]
