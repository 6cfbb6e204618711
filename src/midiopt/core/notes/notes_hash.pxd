from libc.stdint cimport uint64_t

from midiopt.core.notes.types cimport Notes
from midiopt.core.smf.midi cimport Status
from midiopt.core.timeline.tempo_map cimport TempoMap

# Domain: ticks below 2**TICK_BITS, which are exact as doubles.
cdef Status add_notes_hash(Notes *notes, const TempoMap *map) noexcept nogil
