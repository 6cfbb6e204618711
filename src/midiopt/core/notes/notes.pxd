from libc.stddef cimport size_t
from libc.stdint cimport uint8_t

from midiopt.core.smf.arena cimport Arena
from midiopt.core.facts cimport Facts
from midiopt.core.smf.midi cimport Status
from midiopt.core.notes.types cimport Notes
from midiopt.core.timeline.tempo_map cimport TempoMap

cdef void notes_init(Notes *notes) noexcept nogil
cdef void notes_begin(Notes *notes) noexcept nogil
cdef Status read_notes(Notes *notes, const Arena *arena, const uint8_t *data, const TempoMap *map, size_t first, size_t last) noexcept nogil
cdef void note_facts(Notes *notes, Facts *facts) noexcept nogil
cdef void notes_trim(Notes *notes) noexcept nogil
cdef void notes_free(Notes *notes) noexcept nogil
