# Pitch classes in time: of the whole file, by segment, at the beginning and at the end.

from libc.stdint cimport int64_t

from midiopt.core.notes.types cimport Notes

cdef enum:
    SEGMENTS = 16

# Ticks by pitch class, C first, without drums; the sequences of format 2 are added up. Sums in 64 bits are exact, as columns of
# 32 bits hold ticks below 2**30 and there are fewer than 2**33 notes; sums of doubles up to 2**53, and a hostile file, which can reach
# 2**73, overflows nothing.
cdef struct Chroma:
    int64_t segments[12][SEGMENTS]  # of the notes that begin in each of 16 equal parts, from the first onset to the last
    double wide_segments[12][SEGMENTS]  # the same of sequences with wide columns
    double opening[12]  # in the first two quarters after the first onset
    double closing[12]  # from the last onset on
    int64_t starts[SEGMENTS + 1]  # scratch memory: first tick of each segment of the current sequence


# Domain: ticks below 2**TICK_BITS, whose multiples by SEGMENTS fit 64 bits.
cdef void add_chroma(Chroma *chroma, const Notes *notes, double quarter) noexcept nogil
