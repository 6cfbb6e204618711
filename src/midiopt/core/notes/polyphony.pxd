from midiopt.core.notes.types cimport Notes
from midiopt.core.smf.midi cimport Status
from midiopt.core.timeline.tempo_map cimport TempoMap

# Domain: ticks below 2**TICK_BITS.
cdef Status measure_polyphony(Notes *notes, const TempoMap *map) noexcept nogil
