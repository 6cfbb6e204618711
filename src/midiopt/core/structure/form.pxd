from libc.stdint cimport int64_t, uint8_t

from midiopt.core.timeline.bar_grid cimport BarGrid
from midiopt.core.facts cimport Facts
from midiopt.core.notes.types cimport Notes


cdef void form_facts(const Notes *notes, const BarGrid *bars, int64_t duration, Facts *facts) noexcept nogil
cdef int64_t struck_together(const Notes *notes, int64_t slack) noexcept nogil
cdef uint8_t role_of(const Notes *notes, int64_t together, const Facts *facts) noexcept nogil
