"""Bars on the grid that the file declares: 4/4 until a signature says otherwise.

A frame is half a bar where that is a dotted quarter or more (4/4, 2/2, 6/8, 12/8), else the bar (3/4, 2/4,
5/4, 7/8): the smallest span in which a chord is looked for.
"""

from libc.stdint cimport INT64_MAX


cdef void lay_bars(Bars *bars, const Meter *meter, int64_t quarter, int64_t end) noexcept nogil:
    """Make the spans of a sequence, its bars and its frames up to `end`, the last note end; `quarter` too in ticks.

    Each signature begins a bar where it stands: the bar before it is cut short. The last bar is whole; a
    note that rings on by up to an eighth of a quarter opens no further one.
    """
    cdef int i
    cdef int64_t at, limit, bars_here, last = (end << UNIT) - (quarter << UNIT >> 3)
    cdef Span *span
    bars.quarter = quarter << UNIT
    bars.end = end << UNIT
    bars.span_count = bars.frame_count = bars.main = 0
    bars.bar_count = 0
    if meter.count == 0 or meter.declared[0].tick > 0:
        add_span(bars, 0, 4, 2)
    for i in range(<int>min(meter.count, <size_t>MOST_SPANS)):
        if bars.span_count == MOST_SPANS:
            break
        add_span(bars, meter.declared[i].tick, meter.declared[i].code >> 3, meter.declared[i].code & 7)
    bars.spans[bars.span_count - 1].end = INT64_MAX
    for i in range(bars.span_count):
        span = &bars.spans[i]
        span.first = bars.frame_count
        bars_here = max((min(span.end, last) - span.start + span.bar - 1) // span.bar, <int64_t>(i == 0))
        bars.bar_count += max(bars_here, 0)
        limit = min(span.end, span.start + bars_here * span.bar)
        at = span.start
        while at < limit and bars.frame_count < MOST_FRAMES:
            bars.starts[bars.frame_count] = at
            bars.frame_count += 1
            at += span.frame
        bars.starts[bars.frame_count] = bars.starts[bars.frame_count + 1] = at
    for i in range(1, bars.span_count):
        if frames_of(bars, i) > frames_of(bars, bars.main):
            bars.main = i


cdef void add_span(Bars *bars, int64_t tick, int numerator, int power) noexcept nogil:
    cdef Span *span = &bars.spans[bars.span_count]
    span.start = tick << UNIT
    span.numerator = numerator
    span.bar = bars.quarter * 4 * numerator >> power
    span.halves = 2 if numerator % 2 == 0 and span.bar >= 3 * bars.quarter else 1
    span.frame = span.bar // span.halves
    span.per_unit = 1.0 / span.frame
    if bars.span_count:
        bars.spans[bars.span_count - 1].end = span.start
    bars.span_count += 1


cdef int frames_of(const Bars *bars, int span) noexcept nogil:
    """Frames of a span, of those that are laid."""
    cdef int end = bars.spans[span + 1].first if span + 1 < bars.span_count else bars.frame_count
    return max(min(end, bars.frame_count) - bars.spans[span].first, 0)
