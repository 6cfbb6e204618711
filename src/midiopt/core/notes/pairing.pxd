from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint32_t, uint64_t

from midiopt.core.notes.types cimport TICK_SHIFT, Notes, PackedNote
from midiopt.core.smf.midi cimport Event

cdef struct Pairing:  # progress in a track
    PackedNote *notes  # one past the last note
    uint64_t *boundary  # one past the last boundary
    int64_t ended  # number of notes
    int64_t last_end  # tick of the last note-off that ended one, or -1


cdef void pair_events(Notes *notes, Pairing *pairing, const Event *event, const Event *end, uint32_t row) noexcept nogil
cdef void silence_channel(Notes *notes, Pairing *pairing, uint32_t channel, int64_t tick) noexcept nogil
cdef void end_all_notes(Notes *notes, Pairing *pairing, uint32_t slot, int64_t tick) noexcept nogil


# The sounding notes of a channel and pitch form a ring: each is linked to the next younger one, the newest to the oldest.
cdef inline uint64_t pack_sounding(const PackedNote *next, uint64_t velocity) noexcept nogil:
    """PackedNote.length of a sounding note: the address of the next one in the ring (at most 56 bits) and the velocity."""
    return <uint64_t><size_t>next << TICK_SHIFT | (velocity & 0xFF)


cdef inline PackedNote *next_sounding(const PackedNote *note) noexcept nogil:
    """The next note in the ring."""
    return <PackedNote *><size_t>(note.length >> TICK_SHIFT)


cdef inline void start_note(Notes *notes, uint32_t slot, PackedNote *note, uint64_t velocity) noexcept nogil:
    """Add a note to those that sound."""
    cdef PackedNote *newest = notes.sounding[slot]
    note.length = pack_sounding(note, velocity)
    if newest != NULL:
        note.length = pack_sounding(next_sounding(newest), velocity)
        newest.length = pack_sounding(note, newest.length)
    notes.sounding[slot] = note


cdef inline PackedNote *take_oldest(Notes *notes, uint32_t slot) noexcept nogil:
    """Take the oldest note of those that sound, at least one."""
    cdef PackedNote *newest = notes.sounding[slot]
    cdef PackedNote *oldest = next_sounding(newest)
    if oldest == newest:
        notes.sounding[slot] = NULL
    else:
        newest.length = pack_sounding(next_sounding(oldest), newest.length)
    return oldest


cdef inline void end_note(Notes *notes, PackedNote *note, int64_t tick) noexcept nogil:
    """Set the length of a note that ends at `tick`."""
    cdef uint64_t ticks = tick - (note.onset >> TICK_SHIFT)
    notes.length_ticks[note.onset & 0xFF] += ticks
    note.length = ticks << TICK_SHIFT | (note.length & 0xFF)


cdef inline void end_run(Notes *notes, const uint64_t *boundary) noexcept nogil:
    """The boundaries up to this one form a run, unless there are none since the last run."""
    cdef size_t count = boundary - notes.boundaries
    if count > notes.boundary_count:
        notes.boundary_count = count
        notes.run_ends[notes.run_count] = count
        notes.run_count += 1
