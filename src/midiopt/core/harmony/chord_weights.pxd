from libc.stdint cimport int32_t, uint8_t

from midiopt.core.harmony.sustained cimport FullWeights
from midiopt.core.harmony.thin_parts cimport ThinParts
from midiopt.core.notes.types cimport Notes
from midiopt.core.timeline.bar_grid cimport MAX_BEATS, BarGrid

cdef enum:
    CHORD_NOTES = 256  # notes that are processed at a time
    CHORD_BLOCK = 32  # beats that are prepared at a time
    ROW = MAX_BEATS + CHORD_BLOCK  # no power of two: all classes of a beat would share eight lines of the cache
    FULL_WEIGHT = 4096  # of a class that sounds throughout a beat of the main span

# A pitch class is counted from the class of the lowest note.
cdef struct ChordWeights:
    int32_t weights[12][ROW]  # of each pitch class in each beat, see accumulate_weights
    uint8_t lowest[ROW]  # pitch; 128 or more in silence
    # Scratch memory, of a block of notes: onset and length in ticks, the beat in which each begins, its weight there and in the next
    # beat, 255 where it does not sound long enough to be the lowest note, and how long it sounds after both in subticks.
    double onsets[CHORD_NOTES]
    double lengths[CHORD_NOTES]
    double beyond[CHORD_NOTES]
    int32_t beats[CHORD_NOTES]
    int32_t weight[CHORD_NOTES]
    int32_t next_weight[CHORD_NOTES]
    int32_t too_short[CHORD_NOTES]
    int32_t next_too_short[CHORD_NOTES]
    int32_t parts[CHORD_NOTES]
    uint8_t shift[CHORD_NOTES]  # of thin parts
    FullWeights full
    ThinParts thin


# Domain: ticks below 2**TICK_BITS, any signatures and any number of notes. A bar of 255/1 has 32,640 times the length of one of
# 1/128: a note counts at most MAX_WEIGHT, and so does a class while notes are added. Notes after MAX_BEATS are left out.
cdef void accumulate_weights(ChordWeights *c, const Notes *notes, const BarGrid *bars, const uint8_t *class_of) noexcept nogil
