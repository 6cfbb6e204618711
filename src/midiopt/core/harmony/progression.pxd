from libc.stdint cimport uint8_t, uint64_t

from midiopt.core.facts cimport Facts
from midiopt.core.harmony.chords cimport Chords
from midiopt.core.smf.midi cimport Status
from midiopt.core.text.text cimport TextHeap
from midiopt.core.timeline.bar_grid cimport MAX_HALF_BARS, BarGrid

cdef enum:
    WINDOW_SLOTS = 2 * MAX_HALF_BARS
    MAX_HELD = 64  # half bars: longer chords count as this long

cdef struct Window:  # slot of a hash table of the windows of one length, by their chords
    uint64_t hash
    int first  # half bar of the first occurrence
    int end  # half bar after the last occurrence that was counted
    int count  # occurrences that do not overlap; 0 in an empty slot

cdef struct Progression:
    int changes[MAX_HALF_BARS]  # of chord, up to and including each half bar
    uint64_t hashes[MAX_HALF_BARS + 1]  # of all chords before each half bar
    Window windows[WINDOW_SLOTS]
    int held[MAX_HELD + 1]  # scratch memory: half bars in chords of each length


cdef Status progression_facts(Progression *p, const Chords *c, const BarGrid *bars, TextHeap *heap, Facts *facts) noexcept nogil
