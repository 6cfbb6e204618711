from libc.stdint cimport uint8_t, uint64_t

from midiopt.core.timeline.bar_grid cimport MAX_HALF_BARS, BarGrid
from midiopt.core.harmony.chords cimport Chords
from midiopt.core.facts cimport Facts
from midiopt.core.smf.midi cimport Status
from midiopt.core.text.text cimport TextHeap

cdef enum:
    SLOTS = 2 * MAX_HALF_BARS
    LONGEST = 64  # frames: a chord that holds longer holds so long

cdef struct Window:  # of one content, among those of a length
    uint64_t hash
    int first  # the frame where it was met first
    int free  # where the one counted last ends
    int count  # 0 in a free slot

cdef struct Progression:
    int changes[MAX_HALF_BARS]  # of the chord, up to and with each frame
    uint64_t hashes[MAX_HALF_BARS + 1]  # of all chords before each frame
    Window windows[SLOTS]
    int held[LONGEST + 1]  # frames in chords held so many frames


cdef Status progression_facts(Progression *p, const Chords *c, const BarGrid *bars, TextHeap *heap, Facts *facts) noexcept nogil
