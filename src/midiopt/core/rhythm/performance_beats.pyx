"""The beats of a recorded performance: from notes to pulses, to the best track through them, and to its bars."""

from libc.math cimport fabs
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.string cimport memset

from midiopt.core.memory cimport TRACKED_BEAT_BLOCK, reserve_block
from midiopt.core.rhythm.beat_bars cimport place_in_bars
from midiopt.core.rhythm.beat_tracker cimport Track, choose_track, keep_likely
from midiopt.core.rhythm.meter_accents cimport MeterEstimate
from midiopt.core.rhythm.meter_tracked cimport meter_from_beats
from midiopt.core.rhythm.onsets cimport find_bass
from midiopt.core.rhythm.pulse_scores cimport rate_pulses
from midiopt.core.rhythm.pulses cimport Pulse, group_notes
from midiopt.core.smf.midi cimport NO_MEMORY, USABLE

# How much a beat is a downbeat: chosen by F of downbeats, see training/beat_tracker.py.
cdef double BEAT_SHARE = 0.4  # of the score as a beat, which is subtracted
cdef double DOWNBEAT_BONUS = 1.6
# bpm_onsets_confidence up to which the tracked tempo is right more often: of performances whose collection the weights did not see,
# 0.541 are right with 0.7, 0.529 with 0.55.
cdef double UNSURE = 0.7
cdef double TRACKED_CONFIDENCE = 0.5  # how often it is right, of pieces that nothing was learnt from
cdef double OCTAVE_TOLERANCE = 0.06  # of half and of twice the tempo of the onsets: with 0.03 0.010 fewer are right, with 0.1 0.002
# Steps of distances do not begin at whole milliseconds, where rounding errors would choose one.
cdef double STEP_BEGIN = 0.37
cdef double SILENT_DOWNBEAT = -1.0  # of a beat where no note begins

# Of distances between beats.
cdef struct Level:
    double factor
    uint32_t weight


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
        place_in_bars(p.beats, p.count)
    return status


cdef void performance_facts(PerformanceBeats *p, SlotScratch *slots, const Notes *notes, bint has_bars, Facts *facts) noexcept nogil:
    """Set what the tracked beats know better: the meter, the tempo where it is unsure, but not its octave, and the number of bars if there
    are any.
    """
    cdef int32_t bars = 0
    cdef double distance, drums
    cdef uint32_t first_middle_pitch = find_bass(notes, &drums)
    cdef MeterEstimate meter
    cdef size_t i
    if has_bars:
        for i in range(p.count):
            bars += p.beats[i].position == 0
        facts.bar_count = max(bars, 1)
    if p.count < 2:
        return
    distance = median_distance(p)
    if meter_from_beats(
        slots, p.pulses.notes, notes.columns.count, p.beats, p.count, distance, first_middle_pitch, drums, &meter
    ):
        facts.meter_estimated = meter.meter
        facts.meter_confidence = meter.confidence
    if facts.bpm_onsets_confidence <= UNSURE:
        facts.bpm_onsets = tracked_tempo(distance, facts.bpm_onsets)
        facts.bpm_onsets_confidence = TRACKED_CONFIDENCE


cdef double tracked_tempo(double distance, double bpm) noexcept nogil:
    """The tempo of beats at a distance in seconds, at the octave of the tempo of the onsets.

    With the octave of the beats 0.512 instead of 0.529 of performances are right, whose collection the weights did not see.
    """
    cdef double tracked = 60 / distance
    if fabs(tracked / bpm - 2) <= 2 * OCTAVE_TOLERANCE:
        return tracked / 2
    if fabs(2 * tracked / bpm - 1) <= OCTAVE_TOLERANCE:
        return 2 * tracked
    return tracked


cdef double median_distance(PerformanceBeats *p) noexcept nogil:
    """The median of the distances between beats in seconds, once those of other levels are counted at the most common one.

    Where the music slows down, a track may go on by halves of its beats: their distances are doubled, and two count as one beat. Of
    performances whose collection the weights did not see, 0.590 instead of 0.574 are then right.
    """
    cdef Level level
    cdef double middle, distance
    cdef uint64_t total = 0
    cdef size_t i
    memset(p.distances, 0, sizeof(p.distances))
    for i in range(1, p.count):
        count_distance(p, p.beats[i].seconds - p.beats[i - 1].seconds, 1)
    middle = median_of_counts(p, p.count - 1)
    memset(p.distances, 0, sizeof(p.distances))
    for i in range(1, p.count):
        distance = p.beats[i].seconds - p.beats[i - 1].seconds
        level = level_of(distance, middle)
        count_distance(p, distance * level.factor, level.weight)
        total += level.weight
    return median_of_counts(p, total)


cdef inline Level level_of(double distance, double middle) noexcept nogil:
    """By what a distance is multiplied, to be nearest to the median, and how many sixths of a beat it then counts.

    The limits are the geometric means of neighbouring factors.
    """
    if distance > 2.4495 * middle:
        return Level(1.0 / 3, 18)
    if distance > 1.4142 * middle:
        return Level(0.5, 12)
    if distance > 0.7071 * middle:
        return Level(1, 6)
    if distance > 0.4082 * middle:
        return Level(2, 3)
    return Level(3, 2)


cdef inline void count_distance(PerformanceBeats *p, double distance, uint32_t weight) noexcept nogil:
    """Count a distance in seconds."""
    p.distances[<size_t>min(1000 * distance + STEP_BEGIN, MAX_DISTANCE - 1.0)] += weight


cdef double median_of_counts(const PerformanceBeats *p, uint64_t total) noexcept nogil:
    """The lower median of the `total` that was counted, in seconds, to a millisecond."""
    cdef size_t i
    cdef uint64_t seen = 0
    for i in range(<size_t>MAX_DISTANCE):
        seen += p.distances[i]
        if 2 * seen >= total:
            break
    return (i + 0.5 - STEP_BEGIN) / 1000


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
