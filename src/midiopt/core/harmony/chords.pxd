from libc.stddef cimport size_t
from libc.stdint cimport int16_t, int32_t, uint8_t

from midiopt.core.harmony.chord_weights cimport CHORD_BLOCK, ChordWeights
from midiopt.core.notes.types cimport Notes
from midiopt.core.timeline.bar_grid cimport MAX_BEATS, BarGrid

cdef enum:
    QUALITIES = 11
    LANES = 16  # for twelve roots
    STATES = QUALITIES * LANES  # a chord is quality * LANES + root
    SIXTH = QUALITIES  # these are found afterwards, see set_basses
    MINOR_SIXTH
    FLAT_FIFTH
    NAMED_QUALITIES
    NO_CHORD = 255

# Pitch classes and roots are counted from the class of the lowest note.
cdef struct Chords:
    ChordWeights weights
    uint8_t chords[MAX_BEATS]  # of each beat
    uint8_t basses[MAX_BEATS]  # pitch class of the bass of its chord
    uint8_t triads[MAX_BEATS]  # of each chord without its seventh, sixth or flat fifth; held where there is none; NO_CHORD before the first
    int16_t held[MAX_BEATS]  # the last beat with a chord, up to and including each beat
    int first  # beat with a chord
    int base  # pitch class of the lowest note
    # Scratch memory: of the best chord of each beat so far, which it is, and since which beat it holds.
    uint8_t best[MAX_BEATS]
    int16_t best_since[MAX_BEATS]
    # Scratch memory: of each chord, the score less that of the best, and since which beat it holds.
    int16_t scores[STATES]
    int16_t since[STATES]
    int16_t added[QUALITIES][LANES]  # by a beat, without the bonus
    # Scratch memory, of the beat before.
    int16_t scores_before[STATES]
    int16_t classes_before[12]
    # Scratch memory, of a block of beats: the weights of the classes and of an octave more.
    int16_t shifted[12][CHORD_BLOCK]
    int16_t classes[CHORD_BLOCK][2 * LANES]
    int32_t total[CHORD_BLOCK]
    int32_t class_count[CHORD_BLOCK]


# Domain: as in chord_weights.pxd.
cdef bint estimate_chords(Chords *c, const Notes *notes, const BarGrid *bars) noexcept nogil
cdef int write_triad(char *text, uint8_t chord, int base) noexcept nogil
cdef const char *quality_name(uint8_t chord) noexcept nogil
cdef int write_symbol(char *text, uint8_t chord, uint8_t bass, int base) noexcept nogil
