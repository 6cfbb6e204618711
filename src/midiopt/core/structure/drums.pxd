from libc.stdint cimport uint8_t, uint32_t

from midiopt.core.timeline.bar_grid cimport BarGrid
from midiopt.core.facts cimport Facts
from midiopt.core.notes.types cimport Notes

cdef enum:
    MOST_BARS = 4096
    STEPS = 48  # of a measure

cdef struct Drums:
    uint8_t played[MOST_BARS]  # bars with a drum
    uint8_t driven[MOST_BARS]  # measures with a kick or a snare
    uint32_t hits[3][STEPS]  # of all measures: others, kicks and snares


cdef void drum_facts(Drums *drums, const Notes *notes, const BarGrid *bars, Facts *facts) noexcept nogil
