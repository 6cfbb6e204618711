from midiopt.core.notes.types cimport Notes
from midiopt.core.timeline.tempo_map cimport TempoMap

# Domain: ticks below 2**TICK_BITS, which are exact as doubles.
cdef void add_notes_hash(Notes *notes, const TempoMap *map) noexcept nogil
