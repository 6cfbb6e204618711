from libc.stdint cimport uint32_t, uint64_t

from midiopt.core.facts cimport Facts

cdef enum:
    POSITIONS = 192  # per quarter: a multiple of triplets and of thirty-second notes
    LEFT_OUT = POSITIONS  # in the place of a position, for notes that do not count
    COUNT_BITS = 27  # more than MAX_EVENTS_CAP; 37 bits are left for as many lengths of 64

cdef struct QuarterPositions:
    uint64_t[POSITIONS + 1] packed  # by position in the quarter that the file declares: lengths << COUNT_BITS | onsets
    uint64_t[POSITIONS] lengths  # 1/32 seconds, by position
    uint32_t[POSITIONS + 1] notes  # onsets by position
    uint32_t[POSITIONS] folded  # scratch memory: onsets by position in a fraction of a quarter
    uint32_t count  # of all notes


cdef bint quantization_facts(QuarterPositions *positions, Facts *facts) noexcept nogil
