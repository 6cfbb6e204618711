"""The bars of the declared time signatures: 4/4 until one is declared.

Bars are divided into half bars where half a bar is a dotted quarter or more (4/4, 2/2, 6/8, 12/8); elsewhere (3/4, 2/4,
5/4, 7/8) the half bar is the whole bar. Half bars are divided into beats, the shortest spans in which a chord is estimated: dotted
quarters in 6/8, 9/8 and 12/8 (three of the note that the signature counts), quarters where a half bar is a whole number of them,
else eighths in signatures that count these; any other half bar is one beat.
"""

from libc.stdint cimport INT64_MAX

from midiopt.core.timeline.time_signatures cimport denominator_power_of, numerator_of
from midiopt.core.timeline.timed_values cimport TimedValue


cdef void build_bar_grid(
    BarGrid *bars, const TimeSignatures *signatures, int64_t quarter, int64_t phase, int64_t first_onset, int64_t end
) noexcept nogil:
    """Make the spans, bars and half bars of a sequence up to `end`, its last note end, in ticks as `quarter` and
    `first_onset`.

    Each time signature starts a new bar and cuts the one before short. The last bar is whole; a note that lasts up to an
    eighth of a quarter past it opens no further bar. Where the beats of the notes have a phase (in subticks), all bars have it; notes
    from before it are in a bar of their own.
    """
    cdef const TimedValue *changes = signatures.changes.items
    cdef size_t i, count = signatures.changes.count
    bars.quarter = quarter << SUBTICK_SHIFT
    bars.phase = phase
    bars.end = end << SUBTICK_SHIFT
    bars.span_count = bars.beat_count = bars.main_span = 0
    bars.bar_count = 0
    if count == 0 or changes[0].tick > 0:
        add_span(bars, 0, 4, 2)
    for i in range(count):
        if bars.span_count == MAX_SPANS:
            break
        add_span(bars, changes[i].tick, numerator_of(changes[i].value), denominator_power_of(changes[i].value))
    bars.spans[bars.span_count - 1].end = INT64_MAX
    if first_onset << SUBTICK_SHIFT < phase:
        bars.spans[0].start -= bars.spans[0].bar
    add_beats(bars)


cdef int64_t phase_in_subticks(int phase, int64_t quarter) noexcept nogil:
    """Where the positions that round to a phase of phase.pxd begin, for a quarter in ticks: 1/384 of it earlier. No note on the beat is
    then left in the bar before. A 192nd quarter is a third of a subtick per tick of the quarter."""
    return (2 * phase - 1 + <int64_t>384) * quarter // 6 - 64 * quarter if phase else 0  # rounded down


cdef void add_span(BarGrid *bars, int64_t tick, int numerator, int denominator_power) noexcept nogil:
    cdef Span *span = &bars.spans[bars.span_count]
    span.start = (tick << SUBTICK_SHIFT) + bars.phase
    span.numerator = numerator
    span.bar = bars.quarter * 4 * numerator >> denominator_power
    span.half_bars_per_bar = 2 if numerator % 2 == 0 and span.bar >= 3 * bars.quarter else 1
    span.half_bar = span.bar // span.half_bars_per_bar
    span.beat = span.half_bar
    if denominator_power >= 3 and numerator % 3 == 0:
        span.beat = 3 * (bars.quarter * 4 >> denominator_power)
    elif span.half_bar % bars.quarter == 0:
        span.beat = bars.quarter
    elif denominator_power == 3:
        span.beat = bars.quarter >> 1
    span.beats_per_half_bar = <int>(span.half_bar // span.beat)
    span.beats_per_subtick = 1.0 / span.beat
    if bars.span_count:
        bars.spans[bars.span_count - 1].end = span.start
    bars.span_count += 1


cdef void add_beats(BarGrid *bars) noexcept nogil:
    """Count the bars of each span, place its beats and choose the main span."""
    cdef int i
    cdef int64_t at, limit, span_bars, last = bars.end - (bars.quarter >> 3)
    cdef Span *span
    for i in range(bars.span_count):
        span = &bars.spans[i]
        span.first_beat = bars.beat_count
        span_bars = max((min(span.end, last) - span.start + span.bar - 1) // span.bar, <int64_t>(i == 0))
        span.first_bar = bars.bar_count
        bars.bar_count += max(span_bars, 0)
        limit = min(span.end, span.start + span_bars * span.bar)
        at = span.start
        while at < limit and bars.beat_count < MAX_BEATS:
            bars.starts[bars.beat_count] = at
            bars.beat_count += 1
            at += span.beat
        if bars.beat_count > span.first_beat:  # else the end of the span before stays
            bars.starts[bars.beat_count] = bars.starts[bars.beat_count + 1] = at
    for i in range(1, bars.span_count):
        if beats_of(bars, i) > beats_of(bars, bars.main_span):
            bars.main_span = i


cdef const Span *find_span(const BarGrid *bars, const Span *low, int64_t subtick) noexcept nogil:
    """The span that holds `subtick`, at or after `low`: this one, or by binary search, since each of many tracks starts anew."""
    cdef const Span *high = &bars.spans[bars.span_count - 1]
    cdef const Span *middle
    while low < high and subtick >= low.end:
        middle = low + (high - low) // 2
        if subtick < middle.end:
            high = middle
        else:
            low = middle + 1
    return low


cdef int beats_of(const BarGrid *bars, int span) noexcept nogil:
    """Number of beats of a span, of those that are in the grid."""
    cdef int end = bars.spans[span + 1].first_beat if span + 1 < bars.span_count else bars.beat_count
    return max(min(end, bars.beat_count) - bars.spans[span].first_beat, 0)
