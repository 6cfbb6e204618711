"""Follows the beats of a recorded performance through its onsets.

Notes that begin within 50 ms are a pulse, whose salience grows with their velocities and with the longest. Dynamic programming
over pairs of pulses (S. Dixon, "Automatic Extraction of Tempo and Beat from Expressive Performances", 2001; D. Ellis, "Beat Tracking
by Dynamic Programming", 2007) finds the sequence with the most salience whose distances stay near one or several periods. The period
follows the distances; it begins as that of the beat that the whole performance has.
"""

from libc.math cimport exp2, floor, log2
from libc.stdlib cimport qsort

cdef enum:
    MAX_STEPS = 16  # beats over which a silence is counted through

cdef double GROUP_SECONDS = 0.05
cdef double REACH = 3.6  # periods back to which the beat before is looked for
cdef double MAX_BEND = 0.5  # octaves by which a distance may miss its periods
# The numbers below were searched for at random on half of the pieces of ASAP: of the other half, 0.55 to 0.61 of the beats are found.
cdef double STIFFNESS = 9.8  # cost of a bend of an octave
cdef double STEP_COST = 5.2  # of a beat without an onset
cdef double ADAPTATION = 0.27  # share of a bend that the period takes over
cdef double MAX_DRIFT = 0.15  # octaves from the first period

cdef double NOTE_WEIGHT = -0.32  # per octave of the number of notes
cdef double LOUDEST_WEIGHT = 1.2
cdef double LOUDNESS_WEIGHT = 0.86  # of all notes
cdef double LENGTH_WEIGHT = 2.5  # of a second


cdef int compare_notes(const void *a, const void *b) noexcept nogil:
    cdef double x = (<const TimedNote *>a).seconds
    cdef double y = (<const TimedNote *>b).seconds
    return -1 if x < y else x > y


cdef size_t group_notes(TimedNote *notes, size_t n, Pulse *pulses) noexcept nogil:
    """Sort the notes and make pulses of them, in time order; returns how many."""
    cdef size_t first = 0, i, count = 0
    cdef double loudest, loudness, longest
    qsort(notes, n, sizeof(TimedNote), compare_notes)
    while first < n:
        i = first
        loudest = loudness = longest = 0
        while i < n and notes[i].seconds - notes[first].seconds <= GROUP_SECONDS:
            loudest = max(loudest, <double>notes[i].velocity)
            loudness += notes[i].velocity
            longest = max(longest, <double>notes[i].length)
            i += 1
        pulses[count].seconds = notes[first].seconds
        pulses[count].salience = (
            NOTE_WEIGHT * log2(1.0 + <double>(i - first))
            + LOUDEST_WEIGHT * loudest / 127
            + LOUDNESS_WEIGHT * loudness / 127
            + LENGTH_WEIGHT * min(longest, 1.0)
        )
        count += 1
        first = i
    return count


cdef int64_t track_beats(Pulse *pulses, size_t n, double period) noexcept nogil:
    """Set the best sequence that ends with each pulse; returns the last beat of the best of those that end with the music."""
    cdef Pulse *pulse
    cdef int64_t i, j, best
    if n == 0:
        return -1
    for j in range(<int64_t>n):
        pulse = &pulses[j]
        pulse.score = pulse.salience
        pulse.period = period
        pulse.before = -1
        pulse.steps = 0
        i = j - 1
        while i >= 0 and (i == j - 1 or pulse.seconds - pulses[i].seconds <= REACH * pulses[i].period):
            extend(pulses, i, pulse, period)
            i -= 1
    best = n - 1
    for i in range(<int64_t>n - 1, -1, -1):
        if pulses[n - 1].seconds - pulses[i].seconds > REACH * period:
            break
        if pulses[i].score > pulses[best].score:
            best = i
    return best


cdef inline void extend(const Pulse *pulses, int64_t i, Pulse *pulse, double first_period) noexcept nogil:
    """Let pulse i be the beat before `pulse` if the sequence is then better."""
    cdef const Pulse *before = &pulses[i]
    cdef double distance = pulse.seconds - before.seconds
    cdef double steps = floor(distance / before.period + 0.5), bend, score
    if steps > MAX_STEPS:  # the music begins anew
        if before.score + pulse.salience > pulse.score:
            pulse.score = before.score + pulse.salience
            pulse.before = i
            pulse.steps = 0
            pulse.period = before.period
        return
    steps = max(steps, 1.0)
    bend = log2(distance / (steps * before.period))
    if not -MAX_BEND <= bend <= MAX_BEND:
        return
    score = before.score + pulse.salience - STIFFNESS * bend * bend - STEP_COST * (steps - 1)
    if score > pulse.score:
        pulse.score = score
        pulse.before = i
        pulse.steps = <int>steps
        bend = log2(before.period / first_period) + ADAPTATION * bend
        pulse.period = first_period * exp2(min(max(bend, -MAX_DRIFT), MAX_DRIFT))
