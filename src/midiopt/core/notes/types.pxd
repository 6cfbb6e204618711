# Packed notes, and the counts that are taken from them while a file is analysed.

from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from midiopt.core.memory cimport Scratch
from midiopt.core.smf.midi cimport MAX_TRACKS
from midiopt.core.timeline.timed_values cimport TimedValue, TimedValues

cdef enum:
    SWEEP_BLOCK = 256  # boundaries that measure_polyphony processes at a time
    TICK_SHIFT = 8  # of the ticks in PackedNote.onset and PackedNote.length
    MAX_PORTS = 16  # ports that are told apart; any beyond share the last
    MAX_PARTS = 16 * MAX_PORTS

# 16 bytes. While a note sounds, its length is not known: the bits above TICK_SHIFT then hold the address of the next
# sounding note of the same channel and pitch (see pairing.pxd).
cdef struct PackedNote:
    uint64_t onset  # tick << TICK_SHIFT | pitch << 1 | is drum
    uint64_t length  # ticks << TICK_SHIFT | velocity

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
    PackedNote *note  # NULL when its end is known
    StuckNote *next  # of the same channel and pitch, while it waits for a note-off
    uint32_t slot  # channel << 7 | pitch
    uint32_t track

cdef struct Notes:
    int64_t levels[SWEEP_BLOCK]  # scratch memory: sounding notes after each boundary of a block
    double classes[16]  # scratch memory: seconds by pitch class
    Scratch *scratch  # owns the arrays
    PackedNote *notes  # of the current sequence
    size_t note_count
    # On and off boundaries of pitched notes, as tick << 1 | is onset. Those of a track form a run in time order.
    uint64_t *boundaries
    size_t boundary_count
    const uint64_t *sorted_boundaries  # of all tracks, in time order; set by measure_polyphony
    uint32_t run_ends[2 * MAX_TRACKS + MAX_PORTS]  # end of each run in `boundaries`: see stuck_notes.pyx for more than one per track
    size_t run_count
    PackedNote *sounding[2048]  # by channel << 7 | pitch: the newest sounding note, linked to the oldest; NULL between tracks
    uint32_t silenced_onsets[16]  # by channel: its onsets in the file when a controller last ended its notes
    uint32_t held[2048]  # scratch memory of stuck_notes.pyx, by channel << 7 | pitch
    uint32_t run_start[2048]  # likewise
    StuckNote *waiting[2048]  # likewise; NULL between sequences
    uint32_t waiting_notes[16]  # by channel
    StuckNote *stuck  # of the current sequence, track after track
    size_t stuck_count
    bint paired_again  # whether a track of the current sequence had notes without a note-off
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
    uint64_t length_ticks[256]  # lengths added up, by pitch << 1 | is drum, of the current sequence; modulo 2**64, see add_note_seconds
    uint8_t program[16]  # in force, by channel
    uint8_t drums[16]  # likewise, 1 for drums
    NoteCounts counts
