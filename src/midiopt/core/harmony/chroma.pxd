# Pitch classes in time: of the whole file, by segment, at the beginning and at the end.

from libc.stdint cimport int64_t

from midiopt.core.notes.types cimport Notes

cdef enum:
    SEGMENTS = 16

# Ticks by pitch class, C first, without drums; the sequences of format 2 are added up. Sums of integers are exact up to 2**53;
# a hostile file, which can reach 2**73, overflows nothing.
cdef struct Chroma:
    double segments[12][SEGMENTS]  # of the notes that begin in each of 16 equal parts, from the first onset to the last
    double opening[12]  # in the first two quarters after the first onset
    double closing[12]  # from the last onset on
    int64_t starts[SEGMENTS + 1]  # scratch memory: first tick of each segment of the current sequence


# Domain: ticks below 2**TICK_BITS, whose multiples by SEGMENTS fit 64 bits.
cdef void add_chroma(Chroma *chroma, const Notes *notes, double quarter) noexcept nogil
