from libc.stdint cimport uint8_t

from .bars cimport Bars
from .facts cimport Facts
from .note cimport Notes

cdef enum:
    MOST_BARS = 4096

cdef struct Drums:
    uint8_t played[MOST_BARS]  # bars with a drum
    uint8_t driven[MOST_BARS]  # measures with a kick or a snare


cdef void drum_facts(Drums *drums, const Notes *notes, const Bars *bars, Facts *facts) noexcept nogil
