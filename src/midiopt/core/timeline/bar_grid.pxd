# Bars and half bars on the grid that the file declares.

from libc.stdint cimport int64_t

from midiopt.core.timeline.time_signatures cimport Meter
from midiopt.core.smf.midi cimport Status

cdef enum:
    UNIT = 6  # a unit is 1/64 tick: half a bar of any signature and division is a whole number of them
    MOST_SPANS = 1024  # signatures looked at; the last holds to the end
    MOST_FRAMES = 4096  # half an hour and more: 2,048 bars of 4/4

cdef struct Span:  # bars under one signature
    int64_t start  # units
    int64_t end  # units; the last ends never
    int64_t bar  # units
    int64_t frame  # units
    double per_unit  # frames in a unit
    int first  # its first frame
    int numerator
    int halves  # frames in a bar, 1 or 2

cdef struct Bars:
    Span spans[MOST_SPANS]
    int64_t starts[MOST_FRAMES + 2]  # of each frame, and twice the end of the last
    int64_t quarter  # units
    int64_t end  # of the last note, in units
    int64_t bar_count
    int span_count
    int frame_count
    int main  # the span with the most frames, the first on a tie


cdef void lay_bars(Bars *bars, const Meter *meter, int64_t quarter, int64_t end) noexcept nogil
cdef int frames_of(const Bars *bars, int span) noexcept nogil


cdef inline const Span *span_at(const Bars *bars, const Span *at, int64_t unit) noexcept nogil:
    """The span that holds `unit`; `at` is where the last look-up ended."""
    if unit < at.start:  # the next track
        at = &bars.spans[0]
    while unit >= at.end:
        at += 1
    return at


cdef inline int64_t frame_at(const Span *span, int64_t unit) noexcept nogil:
    """The frame that begins at or before `unit`. The half keeps the quotient of a multiple above it."""
    return span.first + <int64_t>((<double>(unit - span.start) + 0.5) * span.per_unit)
