from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint32_t, uint64_t

from midiopt.core.notes.types cimport TICK_SHIFT, Notes, PackedNote
from midiopt.core.smf.midi cimport DRUM_CHANNEL, Event

cdef struct Pairing:  # progress in a track
    PackedNote *notes  # one past the last note
    uint64_t *boundary  # one past the last boundary
    int64_t ended  # number of notes
    int64_t last_end  # tick of the last note-off that ended one, or -1


cdef void pair_events(Notes *notes, Pairing *pairing, const Event *event, const Event *end, uint32_t row) noexcept nogil


# The sounding notes of a channel and pitch form a ring: each is linked to the next younger one, the newest to the oldest.
cdef inline uint64_t pack_sounding(const PackedNote *next, uint64_t velocity) noexcept nogil:
    """PackedNote.length of a sounding note: the address of the next one in the ring (at most 56 bits) and the velocity."""
    return <uint64_t><size_t>next << TICK_SHIFT | (velocity & 0xFF)


cdef inline PackedNote *next_sounding(const PackedNote *note) noexcept nogil:
    """The next note in the ring."""
    return <PackedNote *><size_t>(note.length >> TICK_SHIFT)


cdef inline void end_note(Notes *notes, PackedNote *note, int64_t tick) noexcept nogil:
    """Set the length of a note that ends at `tick`."""
    cdef uint64_t ticks = tick - (note.onset >> TICK_SHIFT)
    notes.length_ticks[note.onset & 0xFF] += ticks
    note.length = ticks << TICK_SHIFT | (note.length & 0xFF)


cdef inline void count_pending_notes(Notes *notes, uint32_t channel) noexcept nogil:
    """Count the pending notes of a channel under the program in force."""
    notes.counts.channels[channel] += notes.pending_notes[channel]
    if channel != DRUM_CHANNEL:
        notes.counts.programs[notes.program[channel]] += notes.pending_notes[channel]
    notes.pending_notes[channel] = 0
