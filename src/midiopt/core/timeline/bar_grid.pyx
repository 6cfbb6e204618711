"""Bars on the grid that the file declares: 4/4 until a signature says otherwise.

A frame is half a bar where that is a dotted quarter or more (4/4, 2/2, 6/8, 12/8), else the bar (3/4, 2/4,
5/4, 7/8): the smallest span in which a chord is looked for.
"""

from libc.stdint cimport INT64_MAX


cdef void build_bar_grid(BarGrid *bars, const TimeSignatures *signatures, int64_t quarter, int64_t end) noexcept nogil:
    """Make the spans of a sequence, its bars and its frames up to `end`, the last note end; `quarter` too in ticks.

    Each signature begins a bar where it stands: the bar before it is cut short. The last bar is whole; a
    note that rings on by up to an eighth of a quarter opens no further one.
    """
    cdef int i
    cdef int64_t at, limit, bars_here, last = (end << SUBTICK_SHIFT) - (quarter << SUBTICK_SHIFT >> 3)
    cdef Span *span
    bars.quarter = quarter << SUBTICK_SHIFT
    bars.end = end << SUBTICK_SHIFT
    bars.span_count = bars.half_bar_count = bars.main_span = 0
    bars.bar_count = 0
    if signatures.count == 0 or signatures.signatures[0].tick > 0:
        add_span(bars, 0, 4, 2)
    for i in range(<int>min(signatures.count, <size_t>MAX_SPANS)):
        if bars.span_count == MAX_SPANS:
            break
        add_span(bars, signatures.signatures[i].tick, signatures.signatures[i].code >> 3, signatures.signatures[i].code & 7)
    bars.spans[bars.span_count - 1].end = INT64_MAX
    for i in range(bars.span_count):
        span = &bars.spans[i]
        span.first_half_bar = bars.half_bar_count
        bars_here = max((min(span.end, last) - span.start + span.bar - 1) // span.bar, <int64_t>(i == 0))
        bars.bar_count += max(bars_here, 0)
        limit = min(span.end, span.start + bars_here * span.bar)
        at = span.start
        while at < limit and bars.half_bar_count < MAX_HALF_BARS:
            bars.starts[bars.half_bar_count] = at
            bars.half_bar_count += 1
            at += span.half_bar
        bars.starts[bars.half_bar_count] = bars.starts[bars.half_bar_count + 1] = at
    for i in range(1, bars.span_count):
        if half_bars_of(bars, i) > half_bars_of(bars, bars.main_span):
            bars.main_span = i


cdef void add_span(BarGrid *bars, int64_t tick, int numerator, int power) noexcept nogil:
    cdef Span *span = &bars.spans[bars.span_count]
    span.start = tick << SUBTICK_SHIFT
    span.numerator = numerator
    span.bar = bars.quarter * 4 * numerator >> power
    span.half_bars_per_bar = 2 if numerator % 2 == 0 and span.bar >= 3 * bars.quarter else 1
    span.half_bar = span.bar // span.half_bars_per_bar
    span.half_bars_per_subtick = 1.0 / span.half_bar
    if bars.span_count:
        bars.spans[bars.span_count - 1].end = span.start
    bars.span_count += 1


cdef int half_bars_of(const BarGrid *bars, int span) noexcept nogil:
    """Frames of a span, of those that are laid."""
    cdef int end = bars.spans[span + 1].first_half_bar if span + 1 < bars.span_count else bars.half_bar_count
    return max(min(end, bars.half_bar_count) - bars.spans[span].first_half_bar, 0)
