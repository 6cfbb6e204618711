from libc.stdint cimport int64_t, uint8_t

from midiopt.core.facts cimport Facts
from midiopt.core.notes.types cimport Notes
from midiopt.core.timeline.bar_grid cimport BarGrid


# Domain: ticks below 2**TICK_BITS, which are 2**60 thirds of a subtick. bar_count is null where it exceeds its column.
cdef void form_facts(const Notes *notes, const BarGrid *bars, int64_t duration, Facts *facts) noexcept nogil
cdef int64_t count_simultaneous(const Notes *notes, int64_t tolerance) noexcept nogil
cdef uint8_t role_of(const Notes *notes, int64_t simultaneous, const Facts *facts) noexcept nogil
