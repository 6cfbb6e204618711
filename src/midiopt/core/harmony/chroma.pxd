# Where the pitch classes of a file sound: all of it, stretch by stretch, at the beginning and at the end.

from libc.stdint cimport int64_t

from midiopt.core.notes.types cimport Notes

cdef enum:
    STRETCHES = 16

# Ticks by pitch class, C first, drums excluded; the sequences of format 2 add up. Sums of whole numbers are exact
# to 2**53, and a hostile file, which could reach 2**73, overflows nothing.
cdef struct Chroma:
    double stretches[12][STRETCHES]  # of the notes that begin in each equal part from the first onset to the last
    double opening[12]  # in the first two quarters after the first onset
    double closing[12]  # from the last onset on
    int64_t starts[STRETCHES + 1]  # scratch: of each stretch the first tick, in the sequence in hand


cdef void add_chroma(Chroma *chroma, const Notes *notes, double quarter) noexcept nogil
