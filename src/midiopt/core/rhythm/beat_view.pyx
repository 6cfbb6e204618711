"""The beats of a file as tuples: from the grid of its ticks, or tracked where the notes do not keep to it."""

from libc.math cimport floor
from libc.stddef cimport size_t
from libc.stdint cimport INT64_MAX, int64_t
from libc.stdlib cimport free

from midiopt.core.facts cimport NULL_INT32
from midiopt.core.memory cimport allocate_zeroed, release
from midiopt.core.rhythm.beat_bars cimport TrackedBeat
from midiopt.core.rhythm.first_sequence cimport FirstSequence, read_first_sequence, start_sequence
from midiopt.core.rhythm.performance_beats cimport MAX_BEATS, PerformanceBeats, track_beats
from midiopt.core.smf.arena cimport EventArena
from midiopt.core.smf.midi cimport USABLE
from midiopt.core.timeline.bar_grid cimport SUBTICK_SHIFT, Span
from midiopt.core.timeline.tempo_map cimport TempoMap, TempoSegment, seconds_at

cdef struct BeatSource:
    FirstSequence sequence
    PerformanceBeats played


def read_beats(EventArena events not None):
    """The beats of a file; in format 2, of the first track that has notes.

    Returns (whether they were tracked; a tuple (tick, seconds, position in the bar from 0) for each).
    """
    cdef BeatSource *b = <BeatSource *>allocate_zeroed(sizeof(BeatSource))
    cdef FirstSequence *s = &b.sequence
    cdef bint tracked
    if b == NULL:
        raise MemoryError()
    start_sequence(s)
    try:
        if read_first_sequence(s, events) != USABLE:
            raise MemoryError()
        tracked = s.facts.is_performance == 1 or s.onsets.tempo_map_ignored or s.facts.ticks_per_quarter == NULL_INT32
        if s.notes.columns.count == 0 or (tracked and s.facts.bpm_onsets == 0):
            return tracked, []
        if not tracked:
            return False, grid_beats(b)
        if track_beats(&b.played, &s.scratch, &s.notes.columns, 60 / s.facts.bpm_onsets) != USABLE:
            raise MemoryError()
        return True, tracked_beats(b)
    finally:
        release(&s.scratch)
        free(b)


cdef list grid_beats(BeatSource *b):
    """The beats of the bars, from tick 0 to the end of the last note."""
    cdef const TempoSegment *segment = b.sequence.map.segments
    cdef const Span *span
    cdef int64_t at, beat, tick
    cdef int i, position, beats
    # Bars with a phase begin half a position before it, see phase_in_subticks.
    cdef int64_t half_position = b.sequence.bars.quarter // 384 if b.sequence.bars.phase else 0
    found = []
    for i in range(b.sequence.bars.span_count):
        span = &b.sequence.bars.spans[i]
        beats = beats_of(span.numerator, span.bar, b.sequence.bars.quarter)
        beat = span.bar // beats
        at = span.start + half_position
        position = 0
        while at < min(span.end, b.sequence.bars.end) and len(found) < MAX_BEATS:
            if at >= 0:
                tick = at >> SUBTICK_SHIFT
                found.append((tick, seconds_at(&b.sequence.map, &segment, tick), position))
            position = position + 1 if position + 1 < beats else 0
            at += beat
    return found


cdef int beats_of(int numerator, int64_t bar, int64_t quarter) noexcept:
    """Beats per bar: three units of a compound meter (6/8, 9/8, 12/8), and else one."""
    return numerator // 3 if numerator > 3 and numerator % 3 == 0 and 2 * bar <= numerator * quarter else numerator


cdef list tracked_beats(BeatSource *b):
    """The tracked beats."""
    cdef const TempoSegment *segment = b.sequence.map.segments
    cdef const TrackedBeat *beat
    cdef size_t i
    found = []
    for i in range(b.played.count):
        beat = &b.played.beats[i]
        found.append((tick_at(&b.sequence.map, &segment, beat.seconds), beat.seconds, <int>beat.position))
    return found


cdef int64_t tick_at(const TempoMap *map, const TempoSegment **at, double seconds) noexcept:
    """The tick nearest to a time; times may not go back."""
    while at[0].end < INT64_MAX and (at[0] + 1).seconds <= seconds:
        at[0] += 1
    return at[0].start + <int64_t>floor((seconds - at[0].seconds) / at[0].seconds_per_tick + 0.5)
