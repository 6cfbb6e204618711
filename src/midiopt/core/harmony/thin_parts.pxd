from libc.stddef cimport size_t
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from midiopt.core.notes.types cimport CHANNEL_SHIFT, NoteColumns, Notes

cdef enum:
    PART_TRACKS = 64  # tracks that are told apart; any beyond share the last
    PARTS = 16 * PART_TRACKS
    BLOCK = 32  # notes that are compared at a time

cdef struct Part:  # the pitched notes of a channel of a track
    int64_t last  # onset in ticks
    int64_t notes
    int64_t together  # notes that begin with the one before
    int64_t pitches  # added up

cdef struct ThinParts:
    bint any  # whether there is a thin part beside others
    bint none  # whether each part plays chords
    uint8_t shift[PARTS]  # by which the weights of the notes are shifted: 0 unless the part is thin
    Part parts[PARTS]  # scratch memory


cdef void find_thin_parts(ThinParts *thin, const Notes *notes, int64_t quarter) noexcept nogil


cdef inline int part_of(const NoteColumns *notes, size_t i) noexcept nogil:
    """The part of a note."""
    return 16 * min(notes.track[i], PART_TRACKS - 1) + (notes.traits[i] >> CHANNEL_SHIFT & 15)
