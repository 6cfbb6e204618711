from libc.stddef cimport size_t
from libc.stdint cimport uint8_t

from midiopt.core.notes.types cimport NoteColumns, Notes
from midiopt.core.smf.arena cimport Arena
from midiopt.core.smf.midi cimport Status
from midiopt.core.timeline.tempo_map cimport TempoMap

cdef enum:
    NOTE_BYTES = 2 * 8 + 4 + 2 + 5  # of a note in all columns but those of seconds: an item of NOTE_BLOCK
    SECONDS_BYTES = 2 * 8  # an item of SECONDS_BLOCK


cdef Status reserve_columns(Notes *notes, const Arena *arena, size_t first_track, size_t end_track) noexcept nogil
cdef void fill_track(NoteColumns *notes, size_t end, size_t track) noexcept nogil
cdef Status reserve_seconds(Notes *notes, size_t room) noexcept nogil
cdef void time_notes(NoteColumns *notes, const TempoMap *map, size_t first) noexcept nogil
cdef NoteColumns columns_of(const NoteColumns *notes, size_t first, size_t count) noexcept nogil
cdef void ends_to_lengths(NoteColumns *notes, size_t first) noexcept nogil
cdef void split_traits(NoteColumns *notes) noexcept nogil
cdef void split_for_view(NoteColumns *notes) noexcept nogil
cdef void onset_ticks(const NoteColumns *notes, size_t first, size_t n, double *ticks) noexcept nogil
cdef void length_ticks(const NoteColumns *notes, size_t first, size_t n, double *ticks) noexcept nogil
