from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

from midiopt.core.facts cimport Facts
from midiopt.core.notes.types cimport Notes
from midiopt.core.smf.midi cimport Status
from midiopt.core.structure.bar_lags cimport MAX_BARS, BarLags
from midiopt.core.text.text cimport TextHeap
from midiopt.core.timeline.bar_grid cimport BarGrid

cdef enum:
    MIN_BARS = 8
    SECTION_NOTES = 256  # notes that are placed at a time

cdef struct Section:
    int start, end  # bars
    int label  # 0 for that of the first section, then in the order of their first sections

cdef struct Sections:  # 0.3 MB, of which a song of 100 bars uses 60 KB
    int count  # 0 where the bars are too few or too many
    Section items[MAX_BARS]
    # Scratch memory, of a block of notes: onset in ticks, and where the bit of each is.
    double onsets[SECTION_NOTES]
    int32_t places[SECTION_NOTES]  # index of a word of `bits`
    uint64_t masks[SECTION_NOTES]
    # Scratch memory, of all bars.
    BarLags lags
    uint8_t cuts[MAX_BARS + 1]  # whether a section begins
    int label[MAX_BARS]  # of each bar
    int counts[MAX_BARS]  # by label: votes, new numbers or sections
    int after[MAX_BARS]  # by label: its only neighbour, or UNSEEN or SEVERAL
    int before[MAX_BARS]  # likewise


# Domain: ticks below 2**TICK_BITS, any signatures. Fewer than MIN_BARS or more than MAX_BARS bars have no sections.
cdef void find_sections(Sections *s, const Notes *notes, const BarGrid *bars) noexcept nogil
cdef Status append_form(Sections *s, TextHeap *heap, Facts *facts) noexcept nogil
# Domain: a bar that the grid has.
cdef int64_t start_of_bar(const BarGrid *bars, int bar) noexcept nogil
