"""The beats of a file as tuples: from the grid of its ticks, or tracked where the notes do not keep to it."""

from libc.math cimport floor
from libc.stddef cimport size_t
from libc.stdint cimport INT64_MAX, int64_t
from libc.stdlib cimport free, malloc

from midiopt.core.facts cimport NULL_INT32
from midiopt.core.memory cimport allocate_zeroed, release
from midiopt.core.rhythm.beat_bars cimport BarScores, TrackedBeat, place_in_bars
from midiopt.core.rhythm.beat_tracker cimport choose_track
from midiopt.core.rhythm.first_sequence cimport FirstSequence, read_first_sequence, start_sequence
from midiopt.core.rhythm.pulses cimport Pulse, PulseNetwork, TimedNote, group_notes, rate_pulses
from midiopt.core.smf.arena cimport EventArena
from midiopt.core.smf.midi cimport NO_MEMORY, USABLE, Status
from midiopt.core.timeline.bar_grid cimport SUBTICK_SHIFT, Span
from midiopt.core.timeline.tempo_map cimport TempoMap, TempoSegment, seconds_at

cdef enum:
    MAX_BEATS = 100_000  # fourteen hours at 120 BPM

# How much a beat is a downbeat: chosen by F of downbeats, see training/beat_tracker.py.
cdef double BEAT_SHARE = 0.4  # of the score as a beat, which is subtracted
cdef double DOWNBEAT_BONUS = 1.6
cdef double SILENT_DOWNBEAT = -1.0  # of a beat where no note begins

cdef struct BeatSource:
    FirstSequence sequence
    Pulse *pulses
    size_t pulse_count
    TrackedBeat *beats
    size_t beat_count
    PulseNetwork network
    BarScores bar_scores


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
        if group(b) != USABLE or follow(b) != USABLE:
            raise MemoryError()
        return True, tracked_beats(b)
    finally:
        release(&s.scratch)
        free(b.pulses)
        free(b.beats)
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


cdef Status group(BeatSource *b) noexcept:
    """Make the pulses of the notes, and say how much they are beats."""
    cdef size_t i, n = b.sequence.notes.columns.count
    cdef TimedNote *notes = <TimedNote *>malloc(n * sizeof(TimedNote))
    b.pulses = <Pulse *>malloc(n * sizeof(Pulse))
    if notes == NULL or b.pulses == NULL:
        free(notes)
        return NO_MEMORY
    for i in range(n):
        notes[i].seconds = b.sequence.notes.columns.onset_s[i]
        notes[i].length = b.sequence.notes.columns.end_s[i] - notes[i].seconds
        notes[i].pitch = b.sequence.notes.columns.traits[i] >> 1 & 127
        notes[i].velocity = b.sequence.notes.columns.velocity[i]
    b.pulse_count = group_notes(notes, n, b.pulses)
    free(notes)
    rate_pulses(&b.network, b.pulses, b.pulse_count)
    return USABLE


cdef Status follow(BeatSource *b) noexcept:
    """Track the beats, at most MAX_BEATS, and find their bars."""
    cdef int64_t last = choose_track(b.pulses, b.pulse_count, 60 / b.sequence.facts.bpm_onsets).last, i, k
    cdef const Pulse *pulse
    cdef TrackedBeat *beat
    cdef size_t n = 1
    i = last
    while b.pulses[i].before >= 0:
        n += max(b.pulses[i].steps, 1)
        i = b.pulses[i].before
    b.beats = <TrackedBeat *>malloc(n * sizeof(TrackedBeat))
    if b.beats == NULL:
        return NO_MEMORY
    b.beat_count = min(n, <size_t>MAX_BEATS)
    i = last
    while i >= 0:
        pulse = &b.pulses[i]
        n -= 1
        beat = &b.beats[n]
        beat.seconds = pulse.seconds
        beat.downbeat = pulse.downbeat - BEAT_SHARE * pulse.beat + DOWNBEAT_BONUS
        for k in range(1, pulse.steps):
            n -= 1
            beat = &b.beats[n]
            beat.seconds = pulse.seconds - k * ((pulse.seconds - b.pulses[pulse.before].seconds) / pulse.steps)
            beat.downbeat = SILENT_DOWNBEAT
        i = pulse.before
    place_in_bars(&b.bar_scores, b.beats, b.beat_count)
    return USABLE


cdef list tracked_beats(BeatSource *b):
    """The tracked beats."""
    cdef const TempoSegment *segment = b.sequence.map.segments
    cdef size_t i
    found = []
    for i in range(b.beat_count):
        found.append((tick_at(&b.sequence.map, &segment, b.beats[i].seconds), b.beats[i].seconds, <int>b.beats[i].position))
    return found


cdef int64_t tick_at(const TempoMap *map, const TempoSegment **at, double seconds) noexcept:
    """The tick nearest to a time; times may not go back."""
    while at[0].end < INT64_MAX and (at[0] + 1).seconds <= seconds:
        at[0] += 1
    return at[0].start + <int64_t>floor((seconds - at[0].seconds) / at[0].seconds_per_tick + 0.5)
