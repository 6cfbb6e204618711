"""Sections: which bars repeat which.

bar_lags.pyx says which bars are copies, and of which bars before. Sections begin where that changes.
"""

from libc.stdint cimport int64_t
from libc.stdio cimport snprintf
from libc.string cimport memset

from midiopt.core.bits cimport popcount
from midiopt.core.notes.columns cimport onset_ticks
from midiopt.core.notes.types cimport NoteColumns
from midiopt.core.smf.midi cimport USABLE
from midiopt.core.structure.bar_lags cimport find_lags
from midiopt.core.text.text cimport append_ascii
from midiopt.core.timeline.bar_grid cimport SUBTICK_SHIFT, Span, span_at

cdef uint32_t MULTIPLIER = 0x9E3779B1  # of the hash of a position and a pitch; odd

cdef enum:
    MIN_SECTION = 3  # bars
    MAX_NAMED = 26  # labels in the text of the form
    MAX_SECTIONS = 64  # in it
    NO_LABEL = -1  # before the first section and after the last; of a label without a new number
    UNSEEN = -2  # neighbour of a label that has not been seen yet
    SEVERAL = -3  # of one that has more than one


cdef void find_sections(Sections *s, const Notes *notes, const BarGrid *bars) noexcept nogil:
    """Set the sections of the bars of one sequence."""
    cdef int n = <int>bars.bar_count
    s.count = 0
    if not MIN_BARS <= bars.bar_count <= MAX_BARS:
        return
    fill_bits(s, notes, bars, n)
    find_lags(&s.lags, n)
    cut_sections(s, n)
    label_sections(s, n)
    join_sections(s)


cdef void fill_bits(Sections *s, const Notes *notes, const BarGrid *bars, int n) noexcept nogil:
    """Set the bits of each bar: one per position (to a sixteenth) and pitch of the notes that begin in it.

    Drums are left out where there are other notes, since they repeat throughout.
    """
    cdef NoteColumns c = notes.columns  # a copy: no store can change it
    cdef const Span *span = &bars.spans[0]
    cdef uint64_t *bits = s.lags.bits[0]
    cdef int bar, first, last
    cdef uint8_t drum = 1
    cdef size_t note, count, i
    memset(s.lags.bits[0], 0, n * sizeof(uint64_t))
    memset(s.lags.bits[1], 0, n * sizeof(uint64_t))
    for note in range(c.count):
        drum &= c.sound[note]
    note = 0
    while note < c.count:
        count = min(c.count - note, <size_t>SECTION_NOTES)
        onset_ticks(&c, note, count, s.onsets)
        span = span_at(bars, span, <int64_t>s.onsets[0] * (1 << SUBTICK_SHIFT) + (bars.quarter >> 3))
        if bars.span_count > 1:
            count = notes_in_span(s, count, span, bars.quarter >> 3)
        first = <int>span.first_bar
        last = (<int>span[1].first_bar if span < &bars.spans[bars.span_count - 1] else n) - 1
        place_notes(s, &c.sound[note], count, span, bars.quarter, drum, first, last)
        for i in range(count):
            bits[s.places[i]] |= s.masks[i]
        note += count
    for bar in range(n):
        if not s.lags.bits[0][bar] | s.lags.bits[1][bar]:
            s.lags.bits[0][bar] = 1  # so that rests are like each other
        s.lags.sizes[bar] = popcount(s.lags.bits[0][bar]) + popcount(s.lags.bits[1][bar])


cdef size_t notes_in_span(const Sections *s, size_t count, const Span *span, int64_t rounding) noexcept nogil:
    """How many of these notes follow each other in the span."""
    cdef double start = <double>(span.start - rounding) / (1 << SUBTICK_SHIFT)
    cdef double end = <double>(span.end - rounding) / (1 << SUBTICK_SHIFT)
    cdef size_t i = 1
    while i < count and start <= s.onsets[i] < end:
        i += 1
    return i


cdef void place_notes(
    Sections *s, const uint8_t *sound, size_t count, const Span *span, int64_t quarter, uint8_t drum, int first, int last
) noexcept nogil:
    """Set the word that the bit of each note is in, and that bit, none for a note that is left out; `first` and `last` are the bars of the
    span.

    Numbers below 2**42 subticks, as 512 bars have, are exact; adding 0.5 keeps the quotient of a multiple from being truncated to the
    number below it.
    """
    cdef double offset, start = <double>(span.start - (quarter >> 3)), bar = <double>span.bar
    cdef double bars_per_subtick = 1.0 / bar, positions_per_subtick = 4.0 / quarter
    cdef uint32_t hash
    cdef int32_t index
    cdef size_t i
    for i in range(count):
        offset = s.onsets[i] * (1 << SUBTICK_SHIFT) - start + 0.5
        index = <int32_t>(offset * bars_per_subtick)
        hash = <uint32_t><int32_t>((offset - index * bar) * positions_per_subtick)
        hash = (hash << 8 | sound[i]) * MULTIPLIER >> 25
        s.places[i] = <int32_t>(hash >> 6) * MAX_BARS + min(first + index, last)
        s.masks[i] = <uint64_t>((sound[i] & 1) == drum) << (hash & 63)


cdef int64_t start_of_bar(const BarGrid *bars, int bar) noexcept nogil:
    """The start of a bar of the grid in subticks."""
    cdef int i = bars.span_count - 1
    while bars.spans[i].first_bar > bar:
        i -= 1
    return bars.spans[i].start + (bar - bars.spans[i].first_bar) * bars.spans[i].bar


cdef void cut_sections(Sections *s, int n) noexcept nogil:
    """Set the cuts: where the lag changes, and, of copies and what they copy, where the other one is cut."""
    cdef int i, lag
    cdef bint changed = True
    for i in range(1, n):
        s.cuts[i] = s.lags.lag[i] != s.lags.lag[i - 1]
    s.cuts[0] = s.cuts[n] = True
    while changed:
        changed = False
        for i in range(n):
            lag = s.lags.lag[i]
            if lag == 0:
                continue
            if s.cuts[i]:
                changed |= add_cut(s, n, i - lag)
            elif s.cuts[i - lag]:
                changed |= add_cut(s, n, i)
            if s.cuts[i + 1]:
                changed |= add_cut(s, n, i + 1 - lag)


cdef bint add_cut(Sections *s, int n, int at) noexcept nogil:
    """Cut before a bar unless there is a cut less than MIN_SECTION bars away. Returns whether it did."""
    cdef int i
    for i in range(max(at - MIN_SECTION + 1, 0), min(at + MIN_SECTION, n + 1)):
        if s.cuts[i]:
            return False
    s.cuts[at] = True
    return True


cdef void label_sections(Sections *s, int n) noexcept nogil:
    """Set the sections, with the label of what more than half of their bars copy, or a new one."""
    cdef int start = 0, end, i, label, labels = 0
    while start < n:
        end = start + 1
        while not s.cuts[end]:
            end += 1
        memset(s.counts, 0, labels * sizeof(int))
        label = labels
        for i in range(start, end):
            if s.lags.lag[i] and i - s.lags.lag[i] < start:
                s.counts[s.label[i - s.lags.lag[i]]] += 1
        for i in range(labels):
            if 2 * s.counts[i] > end - start:
                label = i
        labels += label == labels
        for i in range(start, end):
            s.label[i] = label
        s.items[s.count].start = start
        s.items[s.count].end = end
        s.items[s.count].label = label
        s.count += 1
        start = end


cdef void join_sections(Sections *s) noexcept nogil:
    """Join sections that always follow each other, and number the labels again."""
    cdef int i, labels = 0
    while join_pair(s):
        pass
    for i in range(MAX_BARS):
        s.counts[i] = NO_LABEL
    for i in range(s.count):
        if s.counts[s.items[i].label] == NO_LABEL:
            s.counts[s.items[i].label] = labels
            labels += 1
        s.items[i].label = s.counts[s.items[i].label]


cdef bint join_pair(Sections *s) noexcept nogil:
    """Join the first two labels of which one is always followed by the other, and that always follows it. Returns whether there were."""
    cdef int i, label, neighbour, kept = 0
    for i in range(s.count):
        s.after[s.items[i].label] = s.before[s.items[i].label] = UNSEEN
    for i in range(s.count):
        label = s.items[i].label
        neighbour = s.items[i + 1].label if i + 1 < s.count else NO_LABEL
        s.after[label] = neighbour if s.after[label] in (UNSEEN, neighbour) else SEVERAL
        neighbour = s.items[i - 1].label if i else NO_LABEL
        s.before[label] = neighbour if s.before[label] in (UNSEEN, neighbour) else SEVERAL
    for i in range(s.count):
        label = s.items[i].label
        neighbour = s.after[label]
        if neighbour >= 0 and neighbour != label and s.before[neighbour] == label:
            break
    else:
        return False
    for i in range(s.count):
        if s.items[i].label == neighbour:
            s.items[kept - 1].end = s.items[i].end
        else:
            s.items[kept] = s.items[i]
            kept += 1
    s.count = kept
    return True


cdef Status append_form(Sections *s, TextHeap *heap, Facts *facts) noexcept nogil:
    """Append the form as text ("A8 A8 B8 A8") where it is sure: sections that occur again make up half of the bars or more."""
    cdef char[MAX_SECTIONS * 5] text
    cdef int i, repeated = 0, size = 0
    if not 2 <= s.count <= MAX_SECTIONS:
        return USABLE
    memset(s.counts, 0, MAX_NAMED * sizeof(int))
    for i in range(s.count):
        if s.items[i].label >= MAX_NAMED:
            return USABLE
        s.counts[s.items[i].label] += 1
    for i in range(s.count):
        if s.counts[s.items[i].label] > 1:
            repeated += s.items[i].end - s.items[i].start
    if 2 * repeated < s.items[s.count - 1].end:
        return USABLE
    for i in range(s.count):
        size += snprintf(text + size, 6, b" %c%d", b"A"[0] + s.items[i].label, s.items[i].end - s.items[i].start)
    return append_ascii(heap, text + 1, size - 1, &facts.sections)
