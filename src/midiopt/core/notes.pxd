from libc.stddef cimport size_t
from libc.stdint cimport uint8_t

from .arena cimport Arena
from .facts cimport Facts
from .midi cimport Status
from .note cimport Notes
from .tempo cimport TempoMap

cdef void notes_init(Notes *notes) noexcept nogil
cdef void notes_begin(Notes *notes) noexcept nogil
cdef Status read_notes(Notes *notes, const Arena *arena, const uint8_t *data, const TempoMap *map, size_t first, size_t last) noexcept nogil
cdef void note_facts(const Notes *notes, Facts *facts) noexcept nogil
cdef void notes_trim(Notes *notes) noexcept nogil
cdef void notes_free(Notes *notes) noexcept nogil
