from libc.stdint cimport uint32_t

from midiopt.core.facts cimport Facts

cdef enum:
    POSITIONS = 192  # in a quarter: a multiple of triplets and of thirty-second notes

cdef struct Grid:
    uint32_t[POSITIONS] notes  # by where in a quarter, as the file declares it, they begin
    uint32_t[POSITIONS] folded  # scratch: notes by where in a part of a quarter
    uint32_t count


cdef bint grid_facts(Grid *grid, Facts *facts) noexcept nogil
