from libc.stdint cimport int32_t, int64_t, uint8_t

from midiopt.core.timeline.bar_grid cimport MAX_HALF_BARS, BarGrid
from midiopt.core.notes.types cimport Notes

cdef enum:
    BLOCK = 32  # frames that are named at a time
    SOME = 256  # notes that are placed at a time
    ROW = MAX_HALF_BARS + BLOCK  # no power of two: all classes of a frame would share eight lines of the cache

cdef struct Chords:
    int32_t weights[12][ROW]  # of each pitch class in each frame, see weigh
    uint8_t lowest[ROW]  # pitch; 128 or more in silence
    uint8_t chords[MAX_HALF_BARS]  # quality * 12 + root, 255 before the first
    int first  # frame with a chord
    int base  # the class that chords are counted from
    # Scratch of notes that are placed and frames that are named at a time.
    int32_t frames[SOME]
    int32_t begun[SOME]
    int32_t held[SOME]
    int32_t high[SOME]  # 255 where a note is not to be the lowest of its frame
    int32_t high_after[SOME]  # or of the next
    double left[SOME]
    int32_t bass[BLOCK]
    int32_t best[BLOCK]
    int32_t total[BLOCK]
    int32_t classes[BLOCK]


cdef bint name_chords(Chords *c, const Notes *notes, const BarGrid *bars) noexcept nogil
cdef int put_chord(char *text, int chord, int base) noexcept nogil
