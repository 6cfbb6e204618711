# Bars, half bars and beats of the declared time signatures.

from libc.stdint cimport int64_t

from midiopt.core.smf.midi cimport Status
from midiopt.core.timeline.time_signatures cimport TimeSignatures

cdef enum:
    SUBTICK_SHIFT = 6  # a subtick is 1/64 tick: half a bar and a beat are whole numbers of them under any signature and division
    MAX_SPANS = 1024  # time signatures that are read; the last one holds to the end
    MAX_BEATS = 8192  # 2,048 bars of 4/4: more than half an hour

cdef struct Span:  # the bars under one time signature
    int64_t start  # subticks; that of the first span may be negative
    int64_t end  # subticks; INT64_MAX in the last span
    int64_t bar  # length in subticks
    int64_t half_bar  # length in subticks: of the whole bar where that is not divided
    int64_t beat  # length in subticks
    int64_t first_bar
    double beats_per_subtick
    int first_beat
    int numerator
    int half_bars_per_bar  # 1 or 2
    int beats_per_half_bar

cdef struct BarGrid:
    Span spans[MAX_SPANS]
    int64_t starts[MAX_BEATS + 2]  # of each beat in subticks, then twice the end of the last one
    int64_t quarter  # length in subticks
    int64_t phase  # of the beats, in subticks: by how much each bar begins after the declared bar
    int64_t end  # of the last note, in subticks
    int64_t bar_count
    int span_count
    int beat_count
    int main_span  # the span with the most beats, the first on a tie


# Domain: ticks below 2**TICK_BITS, which are 2**58 subticks; a bar has 2 (1/128 at a quarter of 1 tick) to 2**32 of them. Beats
# after MAX_BEATS are left out of the grid, signatures after MAX_SPANS of everything; bar_count counts all bars. A phase is at most
# half a quarter.
cdef void build_bar_grid(
    BarGrid *bars, const TimeSignatures *signatures, int64_t quarter, int64_t phase, int64_t first_onset, int64_t end
) noexcept nogil
cdef int64_t phase_in_subticks(int phase, int64_t quarter) noexcept nogil
cdef int beats_of(const BarGrid *bars, int span) noexcept nogil
cdef const Span *find_span(const BarGrid *bars, const Span *low, int64_t subtick) noexcept nogil


cdef inline const Span *span_at(const BarGrid *bars, const Span *at, int64_t subtick) noexcept nogil:
    """The span that holds `subtick`. `at` is the result of the last look-up, where the search begins."""
    if subtick < at.start:  # the next track
        at = &bars.spans[0]
    return at if subtick < at.end else find_span(bars, at + 1, subtick)
