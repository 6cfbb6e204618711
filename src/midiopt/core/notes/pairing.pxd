from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint32_t, uint64_t

from midiopt.core.smf.midi cimport DRUM_CHANNEL, Event
from midiopt.core.notes.types cimport TICK_SHIFT, Notes, PackedNote

cdef struct Pairing:  # where pairing has come to in a track
    PackedNote *notes  # one past the last note
    uint64_t *boundary  # one past the last step
    int64_t ended  # notes
    int64_t last_end  # tick of the last note-off that ended one, or -1


cdef void pair_events(Notes *notes, Pairing *pairing, const Event *event, const Event *end, uint32_t row) noexcept nogil


cdef inline uint64_t pack_sounding(const PackedNote *next, uint64_t velocity) noexcept nogil:
    """The value of a note that sounds (addresses have at most 56 bits)."""
    return <uint64_t><size_t>next << TICK_SHIFT | (velocity & 0xFF)


cdef inline PackedNote *next_sounding(const PackedNote *note) noexcept nogil:
    """The next note in the ring."""
    return <PackedNote *><size_t>(note.length >> TICK_SHIFT)


cdef inline void end_note(Notes *notes, PackedNote *note, int64_t tick) noexcept nogil:
    cdef uint64_t ticks = tick - (note.onset >> TICK_SHIFT)
    notes.length_ticks[note.onset & 0xFF] += ticks
    note.length = ticks << TICK_SHIFT | (note.length & 0xFF)


cdef inline void count_pending_notes(Notes *notes, uint32_t channel) noexcept nogil:
    """Book the notes that a channel has struck under its program."""
    notes.counts.channels[channel] += notes.pending_notes[channel]
    if channel != DRUM_CHANNEL:
        notes.counts.programs[notes.program[channel]] += notes.pending_notes[channel]
    notes.pending_notes[channel] = 0
