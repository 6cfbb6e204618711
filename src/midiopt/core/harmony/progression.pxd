from libc.stdint cimport int16_t, uint8_t, uint16_t, uint64_t

from midiopt.core.facts cimport Facts
from midiopt.core.harmony.chords cimport STATES, Chords
from midiopt.core.smf.midi cimport Status
from midiopt.core.text.text cimport TextHeap
from midiopt.core.timeline.bar_grid cimport MAX_BEATS, BarGrid

cdef enum:
    WINDOW_SLOTS = 4 * MAX_BEATS
    MAX_HELD = 128  # beats: longer chords count as this long

cdef struct Window:  # windows of one length with the same chords
    uint64_t hash
    int first  # half bar of the first occurrence
    int end  # half bar after the last occurrence that was counted
    int count  # occurrences that do not overlap

cdef struct Progression:
    int16_t beats[MAX_BEATS]  # of each half bar, the first beat with its chord
    uint8_t chords[MAX_BEATS]  # of each half bar, as in Chords.triads
    int half_bars
    int first  # half bar with a chord
    int changes[MAX_BEATS]  # of chord, up to and including each half bar
    uint64_t hashes[MAX_BEATS + 1]  # of all chords before each half bar
    Window windows[MAX_BEATS + 1]  # from 1 on
    uint16_t slots[WINDOW_SLOTS]  # hash table of indices of windows; 0 where it is empty
    int held[MAX_HELD + 1]  # scratch memory: beats in chords of each length
    int beats_with[STATES]  # scratch memory: beats of a half bar with each chord


cdef Status progression_facts(Progression *p, const Chords *c, const BarGrid *bars, TextHeap *heap, Facts *facts) noexcept nogil
