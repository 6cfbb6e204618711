from libc.stdint cimport uint8_t, uint32_t

from midiopt.core.facts cimport Facts
from midiopt.core.notes.types cimport Notes
from midiopt.core.timeline.bar_grid cimport BarGrid

cdef enum:
    MAX_DRUM_BARS = 4096
    STEPS = 48  # per measure

cdef struct Drums:
    uint8_t bar_has_drums[MAX_DRUM_BARS]
    uint8_t measure_has_kick_or_snare[MAX_DRUM_BARS]
    uint32_t hits[3][STEPS]  # in all measures: other drums, kicks, snares


# Domain: ticks below 2**TICK_BITS: at 24 steps per subtick (bars of 1/128) they are below 2**63 steps. Bars after MAX_DRUM_BARS
# are left out.
cdef void drum_facts(Drums *drums, const Notes *notes, const BarGrid *bars, Facts *facts) noexcept nogil
