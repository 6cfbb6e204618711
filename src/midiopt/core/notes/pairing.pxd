from libc.stddef cimport size_t
from libc.stdint cimport int32_t, int64_t, uint32_t

from midiopt.core.notes.types cimport NoteColumns, Notes, is_drum, length_of, tick_t
from midiopt.core.smf.midi cimport Event

cdef struct Pairing:  # progress in a track
    size_t note  # one past the row of the last note
    size_t boundary  # one past the last boundary
    size_t ended  # number of notes
    int64_t last_end  # tick of the last note-off that ended one, or -1


cdef void pair_events(Notes *notes, Pairing *pairing, const Event *event, const Event *end, uint32_t row) noexcept nogil
cdef bint has_onsets_since_silence(Notes *notes, uint32_t channel, size_t note) noexcept nogil
cdef void silence_channel(Notes *notes, Pairing *pairing, uint32_t channel, int64_t tick) noexcept nogil
cdef void end_all_notes(Notes *notes, Pairing *pairing, uint32_t slot, int64_t tick) noexcept nogil


# Notes.sounding has, for each channel and pitch, 1 + the row of the newest note that sounds. If several sound, it has the bit
# SEVERAL, and they form a ring: the length of each is the row of the next younger one, that of the newest the row of the oldest.
cdef enum:
    SEVERAL = 0x80000000


cdef inline size_t newest_of(uint32_t sounding) noexcept nogil:
    """The row of the newest note that sounds, of at least one."""
    return (sounding & ~<uint32_t>SEVERAL) - 1


cdef inline void set_length(NoteColumns *notes, size_t i, int64_t length) noexcept nogil:
    if notes.wide:
        (<int64_t *>notes.length)[i] = length
    else:
        (<int32_t *>notes.length)[i] = <int32_t>length


cdef inline size_t oldest_of(const Notes *notes, uint32_t slot) noexcept nogil:
    """The row of the oldest note that sounds, of at least one."""
    cdef uint32_t sounding = notes.sounding[slot]
    return length_of(&notes.columns, newest_of(sounding)) if sounding & SEVERAL else newest_of(sounding)


cdef inline void start_note(Notes *notes, uint32_t slot, size_t note) noexcept nogil:
    """Add a note to those that sound."""
    cdef size_t oldest, newest
    if notes.sounding[slot]:
        oldest = oldest_of(notes, slot)
        newest = newest_of(notes.sounding[slot])
        set_length(&notes.columns, note, oldest)
        set_length(&notes.columns, newest, note)
        notes.sounding[slot] = <uint32_t>(note + 1) | SEVERAL
    else:
        notes.sounding[slot] = <uint32_t>(note + 1)


cdef inline size_t take_oldest(Notes *notes, uint32_t slot) noexcept nogil:
    """Take the oldest note of those that sound, at least one; returns its row."""
    cdef size_t oldest = oldest_of(notes, slot), newest, second
    if not notes.sounding[slot] & SEVERAL:
        notes.sounding[slot] = 0
        return oldest
    newest = newest_of(notes.sounding[slot])
    second = length_of(&notes.columns, oldest)
    if second == newest:
        notes.sounding[slot] = <uint32_t>(newest + 1)
    else:
        set_length(&notes.columns, newest, second)
    return oldest


cdef inline void end_note(Notes *notes, size_t note, int64_t tick) noexcept nogil:
    """Set the end of a note, which becomes its length when all notes of the sequence are paired."""
    set_length(&notes.columns, note, tick)


cdef inline void set_boundary(Notes *notes, size_t i, int64_t tick, bint is_onset) noexcept nogil:
    if notes.columns.wide:
        (<int64_t *>notes.boundaries)[i] = tick << 1 | is_onset
    else:
        (<int32_t *>notes.boundaries)[i] = <int32_t>(tick << 1 | is_onset)


cdef inline void end_run(Notes *notes, size_t boundary) noexcept nogil:
    """The boundaries before this one form a run, unless there are none since the last run."""
    if boundary > notes.boundary_count:
        notes.boundary_count = boundary
        notes.run_ends[notes.run_count] = <uint32_t>boundary
        notes.run_count += 1
