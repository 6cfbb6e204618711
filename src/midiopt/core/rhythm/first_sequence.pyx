"""The tracks that views of a file show: all, or in format 2 the first one that has notes. Read as analysis.pyx reads a sequence."""

from libc.stdint cimport int64_t

from midiopt.core.facts cimport NULL_ENUM, NULL_INT32
from midiopt.core.notes.notes cimport read_notes, reset_note_counts
from midiopt.core.rhythm.onsets cimport onset_facts
from midiopt.core.smf.midi cimport USABLE
from midiopt.core.timeline.bar_grid cimport build_bar_grid, phase_in_subticks
from midiopt.core.timeline.tempo_map cimport read_tempo_map
from midiopt.core.timeline.time_signatures cimport read_time_signatures


cdef void start_sequence(FirstSequence *s) noexcept:
    """Make zeroed memory ready. Its owner releases the scratch."""
    s.map.scratch = s.signatures.scratch = s.notes.scratch = &s.scratch
    s.notes.counts_notes = True
    s.facts.key = s.facts.is_performance = s.facts.meter_estimated = NULL_ENUM


cdef Status read_first_sequence(FirstSequence *s, EventArena events) noexcept:
    """Read the notes, what their onsets say, and the bars. Without notes nothing else is set."""
    cdef size_t i, tracks = events.arena.track_count
    cdef int64_t duration = 0, quarter = events.arena.header.division, phase
    cdef Status status = USABLE
    s.facts.ticks_per_quarter = NULL_INT32 if quarter & 0x8000 else <int>quarter
    while s.end_track < tracks and not status and s.notes.columns.count == 0:
        s.first_track = s.end_track
        s.end_track = s.first_track + 1 if events.arena.header.format == 2 else tracks
        reset_note_counts(&s.notes, &events.arena)
        status = read_tempo_map(&s.map, &events.arena, events.arena.data, s.first_track, s.end_track)
        if not status:
            status = read_notes(&s.notes, &events.arena, events.arena.data, &s.map, s.first_track, s.end_track)
    if status or s.notes.columns.count == 0:
        return status
    onset_facts(&s.onsets, &s.notes, &s.map, &s.facts)
    if not has_bars(s):
        return USABLE
    for i in range(s.first_track, s.end_track):
        duration = max(duration, events.arena.tracks[i].end_tick)
    status = read_time_signatures(&s.signatures, &events.arena, events.arena.data, s.first_track, s.end_track, duration)
    if not status:
        phase = phase_in_subticks(s.onsets.phase, quarter)
        build_bar_grid(&s.bars, &s.signatures, quarter, phase, s.notes.counts.first_onset, s.notes.counts.last_end)
    return status


cdef bint has_bars(const FirstSequence *s) noexcept:
    """Whether there are notes, in ticks that have bars."""
    return s.notes.columns.count > 0 and s.facts.ticks_per_quarter != NULL_INT32
