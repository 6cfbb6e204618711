from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

from .bars cimport MOST_FRAMES, Bars
from .facts cimport Facts
from .midi cimport Status
from .note cimport Notes
from .text cimport Heap

cdef enum:
    BLOCK = 32  # frames that are named at a time
    ROW = MOST_FRAMES + BLOCK  # no power of two: all classes of a frame would share eight lines of the cache
    SLOTS = 2 * MOST_FRAMES

cdef struct Window:  # of one content, among those of a length
    uint64_t hash
    int first  # the frame where it was met first
    int free  # where the one counted last ends
    int count  # 0 in a free slot

cdef struct Chords:
    int32_t weights[12][ROW]  # of each pitch class in each frame, see weigh
    uint8_t lowest[ROW]  # pitch; 128 or more in silence
    uint8_t chords[MOST_FRAMES]  # quality * 12 + root
    int base  # the class that chords are counted from
    int changes[MOST_FRAMES]  # of the chord, up to and with each frame
    uint64_t hashes[MOST_FRAMES + 1]  # of all chords before each frame
    Window windows[SLOTS]


cdef Status chord_facts(Chords *c, const Notes *notes, const Bars *bars, Heap *heap, Facts *facts) noexcept nogil
cdef int put_chord(char *text, int chord, int base) noexcept nogil
