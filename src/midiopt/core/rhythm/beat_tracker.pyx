"""Follows the beats of a recorded performance through its pulses.

Dynamic programming over pairs of pulses (S. Dixon, "Automatic Extraction of Tempo and Beat from Expressive Performances", 2001; D.
Ellis, "Beat Tracking by Dynamic Programming", 2007) finds the sequence with the highest score whose distances stay near one or several
periods. The period follows the distances. It begins as that of the beat that the whole performance has, or as a multiple or fraction
of it, whichever gives the highest score: scores are about logarithms of odds that a pulse is a beat, so those of different tracks can
be compared.
"""

from libc.math cimport floor

cdef enum:
    MAX_STEPS = 16  # beats over which a silence is counted through
    RATIO_COUNT = 5
    MIN_PULSES = 4

# With a third and three times as well F is 0.630 instead of 0.629, in 1.4 times the time.
cdef double[RATIO_COUNT] RATIOS = [1, 1 / 2.0, 2 / 3.0, 3 / 2.0, 2]
cdef double MIN_PERIOD = 0.18, MAX_PERIOD = 3.2  # seconds
cdef double REACH = 3.6  # periods back to which the beat before is looked for
cdef double MIN_STEP = 0.7  # periods from a beat to the next
# Pulses with a lower score, a third of all, are no beats: F is 0.629 with and 0.630 without them, in less than half of the time.
cdef double MIN_BEAT = -2.0
# Chosen at random by F of beats, see training/beat_tracker.py.
cdef double BEAT_BONUS = 1.5  # added to the score of each beat
cdef double STIFFNESS = 4.2  # cost of a distance, times the square of x - 1/x if it is x times what was expected
cdef double STEP_COST = 1.7  # of a beat without an onset
cdef double ADAPTATION = 0.37  # share of a bend that the period takes over
cdef double MAX_DRIFT = 1.12  # times the first period
cdef double LATE_COST = 1e6  # of a track that does not begin with the music: where hardly a pulse is likely, beats go on


cdef Track track_beats(Pulse *pulses, size_t n, double period) noexcept nogil:
    """The best track that ends with the music."""
    cdef Track track
    cdef Pulse *pulse
    cdef int64_t i, j
    for j in range(<int64_t>n):
        pulse = &pulses[j]
        pulse.score = pulse.beat + BEAT_BONUS - (LATE_COST if pulse.seconds - pulses[0].seconds > REACH * period else 0)
        pulse.period = period
        pulse.before = -1
        pulse.steps = 0
        i = j - 1
        while i >= 0 and (i == j - 1 or pulse.seconds - pulses[i].seconds <= REACH * pulses[i].period):
            extend(pulses, i, pulse, period)
            i -= 1
    track.period = period
    track.last = n - 1
    for i in range(<int64_t>n - 1, -1, -1):
        if pulses[n - 1].seconds - pulses[i].seconds > REACH * period:
            break
        if pulses[i].score > pulses[track.last].score:
            track.last = i
    track.score = pulses[track.last].score
    return track


cdef inline void extend(const Pulse *pulses, int64_t i, Pulse *pulse, double first_period) noexcept nogil:
    """Let pulse i be the beat before `pulse` if the sequence is then better."""
    cdef const Pulse *before = &pulses[i]
    cdef double distance = pulse.seconds - before.seconds, steps, ratio, bend, score
    if distance < MIN_STEP * before.period:
        return
    distance /= before.period
    steps = max(floor(distance + 0.5), 1.0)
    score = before.score + pulse.beat + BEAT_BONUS
    ratio = 1
    if steps > MAX_STEPS:  # the music begins anew
        steps = 0
    else:
        ratio = distance / steps
        bend = ratio - 1 / ratio
        score -= STIFFNESS * bend * bend + STEP_COST * (steps - 1)
    if score > pulse.score:
        pulse.score = score
        pulse.before = i
        pulse.steps = <int64_t>steps
        pulse.period = min(max(before.period * (1 + ADAPTATION * (ratio - 1)), first_period / MAX_DRIFT), first_period * MAX_DRIFT)


cdef size_t keep_likely(Pulse *pulses, size_t n) noexcept nogil:
    """Leave out the pulses that are no beats, unless hardly any are left; returns how many are kept."""
    cdef size_t i, kept = 0
    for i in range(n):
        kept += pulses[i].beat >= MIN_BEAT
    if kept < MIN_PULSES:
        return n
    kept = 0
    for i in range(n):
        if pulses[i].beat >= MIN_BEAT:
            pulses[kept] = pulses[i]
            kept += 1
    return kept


cdef Track choose_track(Pulse *pulses, size_t n, double period) noexcept nogil:
    """The track with the highest score among those at a period and at its multiples and fractions; on a tie, the first of them.

    Pulses that are no beats are deleted.
    """
    cdef Track best, track
    cdef double other
    cdef int i
    n = keep_likely(pulses, n)
    best = track = track_beats(pulses, n, period)
    for i in range(1, RATIO_COUNT):
        other = period * RATIOS[i]
        if MIN_PERIOD <= other <= MAX_PERIOD:
            track = track_beats(pulses, n, other)
            if track.score > best.score:
                best = track
    return best if best.period == track.period else track_beats(pulses, n, best.period)
