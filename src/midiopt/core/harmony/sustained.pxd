from libc.stdint cimport int32_t, int64_t, uint8_t

from midiopt.core.timeline.bar_grid cimport MAX_BEATS, BarGrid

cdef enum:
    MAX_WEIGHT = 1 << 20  # of a class in a beat

cdef struct FullWeights:
    bint known  # False at the start of a sequence: the first long note sets the weights
    int32_t weights[MAX_BEATS]  # of a class that sounds throughout each beat


# `weights` are those of the pitch class of the note, see ChordWeights, and are shifted down by `shift`.
cdef void add_sustained(
    int32_t *weights, uint8_t *lowest, FullWeights *full, const BarGrid *bars, int f, int64_t rest, uint8_t pitch, double scale,
    int shift
) noexcept nogil
