from libc.stddef cimport size_t
from libc.stdint cimport int32_t, uint8_t

from midiopt.core.harmony.sustained cimport FullWeights
from midiopt.core.notes.types cimport NoteColumns, Notes
from midiopt.core.timeline.bar_grid cimport MAX_HALF_BARS, BarGrid, Span

cdef enum:
    CHORD_NOTES = 256  # notes that are processed at a time
    CHORD_BLOCK = 32  # half bars that are scored at a time
    ROW = MAX_HALF_BARS + CHORD_BLOCK  # no power of two: all classes of a half bar would share eight lines of the cache

# A pitch class is counted from the class of the lowest note. A chord is quality * 12 + root, 255 before the first.
cdef struct Chords:
    int32_t weights[12][ROW]  # of each pitch class in each half bar, see accumulate_weights
    uint8_t lowest[ROW]  # pitch; 128 or more in silence
    uint8_t chords[MAX_HALF_BARS]
    int first  # half bar with a chord
    int base  # pitch class of the lowest note
    # Scratch memory, of a block of notes: onset and length in ticks, the half bar in which each begins, its weight there and in
    # the next half bar, 255 where it does not sound long enough to be the lowest note, and how long it sounds after both in
    # subticks.
    double onsets[CHORD_NOTES]
    double lengths[CHORD_NOTES]
    double beyond[CHORD_NOTES]
    int32_t half_bars[CHORD_NOTES]
    int32_t weight[CHORD_NOTES]
    int32_t next_weight[CHORD_NOTES]
    int32_t too_short[CHORD_NOTES]
    int32_t next_too_short[CHORD_NOTES]
    # Scratch memory, of a block of half bars: see score_chords.
    int32_t bass[CHORD_BLOCK]
    int32_t best[CHORD_BLOCK]
    int32_t total[CHORD_BLOCK]
    int32_t classes[CHORD_BLOCK]
    FullWeights full


# Domain: ticks below 2**TICK_BITS, any signatures and any number of notes. A bar of 255/1 has 32,640 times the length of one of
# 1/128, which is 2**27 of weight: a note counts at most MAX_WEIGHT, and so does a class while notes are added. Notes after MAX_HALF_BARS
# are left out.
cdef bint estimate_chords(Chords *c, const Notes *notes, const BarGrid *bars) noexcept nogil
cdef int write_chord(char *text, int chord, int base) noexcept nogil
cdef void place_notes(
    Chords *c, const NoteColumns *notes, size_t row, size_t n, const Span *span, int count, double next_half_bar, double scale
) noexcept nogil
cdef void score_chords(Chords *c, size_t block) noexcept nogil
