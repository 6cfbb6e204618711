from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint32_t, uint64_t

from midiopt.core.smf.midi cimport DRUMS, Event
from midiopt.core.notes.types cimport TICKS, Notes, Pair

cdef struct Pairing:  # where pairing has come to in a track
    Pair *notes  # one past the last note
    uint64_t *step  # one past the last step
    int64_t ended  # notes
    int64_t last_end  # tick of the last note-off that ended one, or -1


cdef void pair_events(Notes *notes, Pairing *pairing, const Event *event, const Event *end, uint32_t row) noexcept nogil


cdef inline uint64_t ring(const Pair *next, uint64_t velocity) noexcept nogil:
    """The value of a note that sounds (addresses have at most 56 bits)."""
    return <uint64_t><size_t>next << TICKS | (velocity & 0xFF)


cdef inline Pair *following(const Pair *note) noexcept nogil:
    """The next note in the ring."""
    return <Pair *><size_t>(note.value >> TICKS)


cdef inline void end_note(Notes *notes, Pair *note, int64_t tick) noexcept nogil:
    cdef uint64_t ticks = tick - (note.key >> TICKS)
    notes.ticks[note.key & 0xFF] += ticks
    note.value = ticks << TICKS | (note.value & 0xFF)


cdef inline void count_programs(Notes *notes, uint32_t channel) noexcept nogil:
    """Book the notes that a channel has struck under its program."""
    notes.tally.channels[channel] += notes.struck[channel]
    if channel != DRUMS:
        notes.tally.programs[notes.program[channel]] += notes.struck[channel]
    notes.struck[channel] = 0
