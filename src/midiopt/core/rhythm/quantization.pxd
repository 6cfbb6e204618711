from libc.stdint cimport uint32_t

from midiopt.core.facts cimport Facts

cdef enum:
    POSITIONS = 192  # per quarter: a multiple of triplets and of thirty-second notes
    LEFT_OUT = POSITIONS  # in the place of a position, for notes that do not count

cdef struct QuarterPositions:
    uint32_t[POSITIONS + 1] notes  # onsets by position in the quarter that the file declares
    uint32_t[POSITIONS] folded  # scratch memory: onsets by position in a fraction of a quarter
    uint32_t count  # of all notes


cdef bint quantization_facts(QuarterPositions *positions, Facts *facts) noexcept nogil
