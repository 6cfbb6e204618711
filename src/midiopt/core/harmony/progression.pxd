from libc.stdint cimport uint8_t, uint16_t, uint64_t

from midiopt.core.facts cimport Facts
from midiopt.core.harmony.chords cimport Chords
from midiopt.core.smf.midi cimport Status
from midiopt.core.text.text cimport TextHeap
from midiopt.core.timeline.bar_grid cimport MAX_HALF_BARS, BarGrid

cdef enum:
    WINDOW_SLOTS = 2 * MAX_HALF_BARS
    MAX_HELD = 64  # half bars: longer chords count as this long

cdef struct Window:  # windows of one length with the same chords
    uint64_t hash
    int first  # half bar of the first occurrence
    int end  # half bar after the last occurrence that was counted
    int count  # occurrences that do not overlap

cdef struct Progression:
    int changes[MAX_HALF_BARS]  # of chord, up to and including each half bar
    uint64_t hashes[MAX_HALF_BARS + 1]  # of all chords before each half bar
    Window windows[MAX_HALF_BARS + 1]  # from 1 on
    uint16_t slots[WINDOW_SLOTS]  # hash table of indices of windows; 0 where it is empty
    int held[MAX_HELD + 1]  # scratch memory: half bars in chords of each length


cdef Status progression_facts(Progression *p, const Chords *c, const BarGrid *bars, TextHeap *heap, Facts *facts) noexcept nogil
