from libc.stddef cimport size_t
from libc.stdint cimport int16_t, int32_t, uint8_t, uint64_t

from midiopt.core.harmony.chord_weights cimport CHORD_BLOCK, ChordWeights
from midiopt.core.notes.types cimport Notes
from midiopt.core.smf.midi cimport Status
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
    ROW_PADDING = 13

cdef struct ScoreRow:
    int16_t scores[STATES]  # of each chord
    int16_t best  # of them
    int16_t less  # what is subtracted from all before the next beat: the best, also of no chord
    int16_t no_chord_since  # where no chord is best, the beat since which there is none, else NEVER
    int16_t unused[ROW_PADDING]  # a whole number of cache lines

# Pitch classes and roots are counted from the class of the lowest note.
cdef struct Chords:
    ChordWeights weights
    uint8_t chords[MAX_BEATS]  # of each beat
    uint8_t basses[MAX_BEATS]  # pitch class of the bass of its chord
    uint8_t triads[MAX_BEATS]  # of each chord without its seventh, sixth or flat fifth; held where there is none; NO_CHORD before the first
    int16_t held[MAX_BEATS]  # the last beat with a chord, up to and including each beat
    int first  # beat with a chord
    int base  # pitch class of the lowest note
    bint found  # whether there are any
    # Scratch memory: the scores of the beats, less than one row per beat where they repeat, and which row is that of each beat.
    ScoreRow *rows
    int16_t row_of[MAX_BEATS]
    uint8_t lowest_classes[MAX_BEATS]
    int16_t added[QUALITIES][LANES]  # by a beat, without the bonus
    # Scratch memory, of a block of beats: the weights of the classes and of an octave more.
    uint64_t fours[3][CHORD_BLOCK]  # of four classes, 16 bits each
    int16_t classes[CHORD_BLOCK][2 * LANES]
    int32_t total[CHORD_BLOCK]
    int32_t class_count[CHORD_BLOCK]


# Domain: as in chord_weights.pxd.
cdef Status estimate_chords(Chords *c, const Notes *notes, const BarGrid *bars) noexcept nogil
