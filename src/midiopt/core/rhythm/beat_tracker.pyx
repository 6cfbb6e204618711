"""Follows the beats of a recorded performance through its pulses.

Dynamic programming over pairs of pulses (S. Dixon, "Automatic Extraction of Tempo and Beat from Expressive Performances", 2001; D.
Ellis, "Beat Tracking by Dynamic Programming", 2007) finds the sequence with the highest score whose distances stay near one or several
periods. The period follows the distances. It begins as that of the beat that the whole performance has, or as a multiple or fraction
of it, whichever gives the highest score: scores are about logarithms of odds that a pulse is a beat, so those of different tracks can
be compared. All tracks are followed at once, in the lanes of vectors.
"""

from libc.math cimport floorf
from libc.string cimport memcpy, memset

from midiopt.core.memory cimport TRACK_LINK_BLOCK, reserve_block
from midiopt.core.smf.midi cimport MAX_EVENTS_CAP, NO_MEMORY, USABLE

cdef enum:
    MAX_STEPS = 16  # beats over which a silence is counted through
    MAX_WINDOW = 64  # pulses among which the beat before is looked for
    MIN_PULSES = 4

cdef double[TRACKS] RATIOS = [1, 1 / 2.0, 2 / 3.0, 3 / 2.0, 2, 1 / 3.0, 3 / 4.0, 4 / 3.0]
cdef double MIN_PERIOD = 0.18, MAX_PERIOD = 2.4  # seconds
# The beat before is looked for up to so many of the longest period back. With 3.6, F is the same, and there are 1.4 times the pairs.
cdef float REACH = 2.6
cdef float NEAREST = 0.6  # of the shortest period, from a beat to the next
# Pulses with a lower score, a third of all, are no beats: with -1.7 F is 0.630 instead of 0.637, without any 0.637.
cdef float MIN_BEAT = -2.0
# Chosen at random by F of beats, see training/beat_tracker.py.
cdef float BEAT_BONUS = 1.5  # added to the score of each beat
cdef float STIFFNESS = 4.2  # cost of a distance, times about the square of x - 1/x if it is x times what was expected
cdef float STEP_COST = 1.7  # of a beat without an onset
# With 0.37 and 1.12, which F alone had chosen, 0.739 instead of 0.806 of the tempos are right but for a factor of 2 or 3, of performances
# whose collection the weights did not see, and 0.545 instead of 0.572 as they are; without any adaptation 0.698 and 0.527.
# 0.07 instead of 0.1: 0.811 instead of 0.800, and F of beats 0.643 instead of 0.642.
cdef float ADAPTATION = 0.07  # share of a bend that the period takes over
cdef float MAX_DRIFT = 1.25  # times the first period
cdef float LATE_COST = 1e6  # of a track that does not begin with the music: where hardly a pulse is likely, beats go on

cdef float AT_LEAST_TWO = 1.5, AT_LEAST_THREE = 2.5  # expected distances
# In C, a literal would be a double.
cdef float ZERO = 0.0, THIRD = 1 / 3.0, HALF = 0.5, ONE = 1.0, TWO = 2.0, THREE = 3.0


cdef Status choose_track(Tracker *tracker, Scratch *scratch, const Pulse *pulses, size_t n, double period, Track *chosen) noexcept nogil:
    """Find the track with the highest score among those at a period and at its multiples and fractions; on a tie, the first of them."""
    cdef float longest, shortest
    tracker.links = <Link *>reserve_block(scratch, TRACK_LINK_BLOCK, n, sizeof(Link), MAX_EVENTS_CAP, False)
    if tracker.links == NULL:
        return NO_MEMORY
    set_periods(tracker, period, &longest, &shortest)
    follow_tracks(tracker, pulses, <int64_t>n, REACH * longest, NEAREST * shortest)
    best_track(tracker, pulses, <int64_t>n, chosen)
    return USABLE


cdef void set_periods(Tracker *t, double period, float *longest, float *shortest) noexcept nogil:
    """Set the first periods. Those that are too long or too short are the first one once more."""
    cdef double other
    cdef int k
    longest[0] = shortest[0] = <float>period
    for k in range(TRACKS):
        other = period * RATIOS[k]
        t.period[k] = <float>other if MIN_PERIOD <= other <= MAX_PERIOD else <float>period
        t.first_rate[k] = ONE / t.period[k]
        t.lowest[k] = t.first_rate[k] / MAX_DRIFT
        t.highest[k] = t.first_rate[k] * MAX_DRIFT
        longest[0] = max(longest[0], t.period[k])
        shortest[0] = min(shortest[0], t.period[k])


cdef void follow_tracks(Tracker *t, const Pulse *pulses, int64_t n, float far, float near) noexcept nogil:
    """Set, for each pulse and period, the best track that ends with it."""
    cdef int64_t start = 0, end = 0, i, j
    cdef double seconds
    cdef float own
    cdef int k
    for j in range(n):
        seconds = pulses[j].seconds
        while <float>(seconds - pulses[start].seconds) > far:
            start += 1
        while end < j and <float>(seconds - pulses[end].seconds) >= near:
            end += 1
        own = pulses[j].beat + BEAT_BONUS
        begin_tracks(t, <float>(seconds - pulses[0].seconds), far)
        if start < end:
            i = max(start, j - MAX_WINDOW)
            while i < end:  # in pairs, the last pulse twice if need be
                extend(t, &t.best, &t.longer, i & RING - 1, <int32_t>(j - i), <float>(seconds - pulses[i].seconds))
                i += i + 1 < end
                extend(t, &t.longer, &t.best, i & RING - 1, <int32_t>(j - i), <float>(seconds - pulses[i].seconds))
                i += 1
        elif end:
            extend_over_a_silence(t, end - 1 & RING - 1, <int32_t>(j - end + 1), <float>(seconds - pulses[end - 1].seconds), own)
            copy_links(t, j)
            continue
        for k in range(TRACKS):
            i = j - t.best.away[k]
            t.distance[k] = <float>(seconds - pulses[i].seconds)
            t.rate[k] = t.rates[i & RING - 1][k]
        link_back(t, j & RING - 1, own)
        copy_links(t, j)


cdef inline void copy_links(Tracker *t, int64_t j) noexcept nogil:
    memcpy(t.links[j].away, t.best.away, sizeof(t.best.away))
    memcpy(t.links[j].steps, t.steps, sizeof(t.steps))


cdef inline void begin_tracks(Tracker *t, float since_first, float far) noexcept nogil:
    """Tracks that begin with the present pulse."""
    cdef int k
    memset(t.best.away, 0, sizeof(t.best.away))
    for k in range(TRACKS):
        t.best.score[k] = -LATE_COST
    if since_first <= far:
        for k in range(TRACKS):
            t.best.score[k] = -LATE_COST if since_first > REACH * t.period[k] else ZERO


cdef inline void extend(Tracker *t, const Best *best, Best *longer, int64_t i, int32_t away, float distance) noexcept nogil:
    """Let item i of the ring be the beat before where the track is then better.

    Written to another place than it is read from: otherwise gcc stores under masks, which is slow.
    """
    cdef float beats, part, cost, bend, bent, score
    cdef bint better
    cdef int k
    for k in range(TRACKS):
        beats = distance * t.rates[i][k]
        part = THIRD if beats >= AT_LEAST_THREE else (HALF if beats >= AT_LEAST_TWO else ONE)
        cost = TWO * STEP_COST if beats >= AT_LEAST_THREE else (STEP_COST if beats >= AT_LEAST_TWO else ZERO)
        bend = beats * part - ONE
        bent = bend * ((TWO - bend) + bend * bend)
        score = t.scores[i][k] - (STIFFNESS * (bent * bent) + cost)
        better = score > best.score[k]
        longer.score[k] = score if better else best.score[k]
        longer.away[k] = away if better else best.away[k]


cdef inline void link_back(Tracker *t, int64_t at, float own) noexcept nogil:
    """Set item `at` of the ring and the links of the present pulse. In one loop: gcc unrolls smaller ones instead of vectorising them."""
    cdef float beats, part, steps, bend, rate
    cdef bint begins
    cdef int k
    for k in range(TRACKS):
        begins = t.best.away[k] == 0
        beats = t.distance[k] * t.rate[k]
        part = THIRD if beats >= AT_LEAST_THREE else (HALF if beats >= AT_LEAST_TWO else ONE)
        steps = THREE if beats >= AT_LEAST_THREE else (TWO if beats >= AT_LEAST_TWO else ONE)
        bend = beats * part - ONE
        rate = t.rate[k] / (ONE + ADAPTATION * bend)
        rate = min(max(rate, t.lowest[k]), t.highest[k])
        t.rates[at][k] = t.first_rate[k] if begins else rate
        t.steps[k] = ZERO if begins else steps
        t.scores[at][k] = t.best.score[k] + own


cdef void extend_over_a_silence(Tracker *t, int64_t i, int32_t away, float distance, float own) noexcept nogil:
    """Both where no pulse is in reach: up to MAX_STEPS beats are counted through; beyond, the music begins anew."""
    cdef int64_t at = i + away & RING - 1
    cdef float beats, steps, bend, bent, score
    cdef int k
    for k in range(TRACKS):
        beats = distance * t.rates[i][k]
        steps = max(floorf(beats + HALF), ONE)
        if steps > MAX_STEPS:
            steps = bend = ZERO
            score = t.scores[i][k]
        else:
            bend = beats / steps - ONE
            bent = bend * ((TWO - bend) + bend * bend)
            score = t.scores[i][k] - (STIFFNESS * (bent * bent) + STEP_COST * (steps - ONE))
        t.steps[k] = ZERO
        t.rates[at][k] = t.first_rate[k]
        if score > t.best.score[k]:
            t.best.score[k] = score
            t.best.away[k] = away
            t.rates[at][k] = min(max(t.rates[i][k] / (ONE + ADAPTATION * bend), t.lowest[k]), t.highest[k])
            t.steps[k] = steps
        t.scores[at][k] = t.best.score[k] + own


cdef void best_track(const Tracker *t, const Pulse *pulses, int64_t n, Track *chosen) noexcept nogil:
    """The best of the tracks that end with the music."""
    cdef int64_t i, last
    cdef float score = 0
    cdef int k
    for k in range(TRACKS):
        last = n - 1
        for i in range(n - 2, max(n - MAX_WINDOW, <int64_t>0) - 1, -1):
            if <float>(pulses[n - 1].seconds - pulses[i].seconds) > REACH * t.period[k]:
                break
            if t.scores[i & RING - 1][k] > t.scores[last & RING - 1][k]:
                last = i
        if k == 0 or t.scores[last & RING - 1][k] > score:
            score = t.scores[last & RING - 1][k]
            chosen.lane = k
            chosen.last = last


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
