from midiopt.core.rhythm.quantization cimport POSITIONS, QuarterPositions

cdef enum:
    NEAR = 3  # positions to both sides whose notes count as at a position
    MAX_CANDIDATES = 7  # besides the declared quarters

# Scratch memory of quarter_phase: notes and lengths near each position, twice in a row, so that an index beyond a quarter is valid.
cdef struct PhaseScratch:
    double notes[2 * POSITIONS]
    double lengths[2 * POSITIONS]
    int candidates[MAX_CANDIDATES]


# Domain: fewer than 2**32 notes, lengths below 2**50 in all. The phase is in positions, from -POSITIONS / 2 to POSITIONS / 2 - 1.
cdef int quarter_phase(const QuarterPositions *positions, PhaseScratch *scratch) noexcept nogil
