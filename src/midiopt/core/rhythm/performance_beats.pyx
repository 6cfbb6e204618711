"""The beats of a recorded performance: from notes to pulses, to the best track through them, and to its bars."""

from libc.stdint cimport int64_t

from midiopt.core.memory cimport TRACKED_BEAT_BLOCK, reserve_block
from midiopt.core.rhythm.beat_bars cimport place_in_bars
from midiopt.core.rhythm.beat_tracker cimport Track, choose_track, keep_likely
from midiopt.core.rhythm.pulse_scores cimport rate_pulses
from midiopt.core.rhythm.pulses cimport Pulse, group_notes
from midiopt.core.smf.midi cimport NO_MEMORY, USABLE

# How much a beat is a downbeat: chosen by F of downbeats, see training/beat_tracker.py.
cdef double BEAT_SHARE = 0.4  # of the score as a beat, which is subtracted
cdef double DOWNBEAT_BONUS = 1.6
cdef double SILENT_DOWNBEAT = -1.0  # of a beat where no note begins


cdef Status track_beats(PerformanceBeats *p, Scratch *scratch, const NoteColumns *notes, double period) noexcept nogil:
    """Track the beats, at most MAX_BEATS, and find their bars."""
    cdef Track track
    cdef Status status = group_notes(&p.pulses, scratch, notes)
    if not status:
        rate_pulses(&p.network, &p.pulses)
        p.pulses.count = keep_likely(p.pulses.items, p.pulses.count)
        status = choose_track(&p.tracker, scratch, p.pulses.items, p.pulses.count, period, &track)
    if not status:
        status = list_beats(p, scratch, &track)
    if not status:
        place_in_bars(&p.bar_scores, p.beats, p.count)
    return status


cdef Status list_beats(PerformanceBeats *p, Scratch *scratch, const Track *track) noexcept nogil:
    """List the beats of a track, at most MAX_BEATS, those without an onset at equal distances between others."""
    cdef int64_t n = 1, i = track.last, k, steps
    cdef const Pulse *pulse
    cdef const Pulse *before
    while p.tracker.links[i].away[track.lane]:
        n += max(<int64_t>p.tracker.links[i].steps[track.lane], <int64_t>1)
        i -= p.tracker.links[i].away[track.lane]
    p.count = <size_t>min(n, <int64_t>MAX_BEATS)
    p.beats = <TrackedBeat *>reserve_block(scratch, TRACKED_BEAT_BLOCK, p.count, sizeof(TrackedBeat), MAX_BEATS, False)
    if p.beats == NULL:
        return NO_MEMORY
    i = track.last
    while n:
        pulse = &p.pulses.items[i]
        before = pulse - p.tracker.links[i].away[track.lane]
        steps = <int64_t>p.tracker.links[i].steps[track.lane]
        n -= 1
        set_beat(p, n, pulse.seconds, pulse.downbeat - BEAT_SHARE * pulse.beat + DOWNBEAT_BONUS)
        for k in range(1, steps):
            n -= 1
            set_beat(p, n, pulse.seconds - k * ((pulse.seconds - before.seconds) / steps), SILENT_DOWNBEAT)
        i -= p.tracker.links[i].away[track.lane]
    return USABLE


cdef inline void set_beat(PerformanceBeats *p, int64_t i, double seconds, double downbeat) noexcept nogil:
    """Set a beat unless there are too many."""
    if i < <int64_t>p.count:
        p.beats[i].seconds = seconds
        p.beats[i].downbeat = downbeat
