"""Finds where in the declared quarter the beats of written music lie.

Some files keep to a grid that begins elsewhere than their ticks: a recording that was put on a grid from its first sound on, say.
In nine of ten songs of POP909 the annotated beats lie between the quarters of their own file. The candidates are the positions
where many notes begin. A conditional logit weighs how many notes begin at the candidate and at an eighth and a sixteenth from it,
and how long these are; being on the declared grid counts for a candidate. training/phase.py fits the weights, reference/phase.py
has the same in plain Python.
"""

from libc.math cimport log
from libc.stdint cimport int64_t, uint32_t

from midiopt.core.rhythm import phase_weights

cdef enum:
    MIN_NOTES = 32
    MIN_SHARE = 25  # a candidate has one of so many notes
    MEAN_REACH = 4  # positions over which a candidate is averaged
    OFFSET_COUNT = 4

# Added to a share before its logarithm.
cdef double FLOOR = 0.03

cdef int[OFFSET_COUNT] OFFSETS = [0, 96, 48, 144]  # where shares are read: the beat, eighth and sixteenths

cdef double[OFFSET_COUNT] NOTE_WEIGHTS
cdef double[OFFSET_COUNT] LENGTH_WEIGHTS
cdef int _i
for _i in range(OFFSET_COUNT):
    NOTE_WEIGHTS[_i] = phase_weights.NOTE_WEIGHTS[_i]
    LENGTH_WEIGHTS[_i] = phase_weights.LENGTH_WEIGHTS[_i]
cdef double ON_QUARTER = phase_weights.ON_QUARTER
cdef double ON_EIGHTH = phase_weights.ON_EIGHTH
cdef double ON_SIXTEENTH = phase_weights.ON_SIXTEENTH
cdef double ON_THIRTY_SECOND = phase_weights.ON_THIRTY_SECOND


cdef int quarter_phase(const QuarterPositions *positions, PhaseScratch *scratch) noexcept nogil:
    """The position of the beats, relative to the nearest quarter; 0 with few notes, and where half of the notes begin on quarters."""
    cdef int i, n, best = 0
    cdef double score, highest
    if positions.count < MIN_NOTES or 2 * notes_at(positions, 0) > positions.count:
        return 0
    sum_nearby(positions, scratch)
    n = find_candidates(positions, scratch)
    if n == 0:
        return 0
    highest = score_of(scratch, 0)
    for i in range(n):
        score = score_of(scratch, scratch.candidates[i])
        if score > highest:
            highest = score
            best = scratch.candidates[i]
    return best if best < POSITIONS // 2 else best - POSITIONS


cdef int wrap(int position) noexcept nogil:
    """The position in the quarter of one that is less than a quarter outside of it."""
    return position + POSITIONS if position < 0 else position - POSITIONS if position >= POSITIONS else position


cdef uint32_t notes_at(const QuarterPositions *positions, int position) noexcept nogil:
    """Notes within NEAR positions."""
    cdef uint32_t notes = 0
    cdef int i
    for i in range(position - NEAR, position + NEAR + 1):
        notes += positions.notes[wrap(i)]
    return notes


cdef void sum_nearby(const QuarterPositions *positions, PhaseScratch *s) noexcept nogil:
    """Set the shares of notes and lengths within NEAR of each position."""
    cdef double notes = 0, lengths = 0, total = 0
    cdef int i
    for i in range(POSITIONS):
        total += positions.lengths[i]
    for i in range(-NEAR, NEAR):
        notes += positions.notes[wrap(i)]
        lengths += positions.lengths[wrap(i)]
    for i in range(POSITIONS):
        notes += positions.notes[wrap(i + NEAR)]
        lengths += positions.lengths[wrap(i + NEAR)]
        s.notes[i] = s.notes[i + POSITIONS] = notes / positions.count
        s.lengths[i] = s.lengths[i + POSITIONS] = lengths / max(total, 1.0)
        notes -= positions.notes[wrap(i - NEAR)]
        lengths -= positions.lengths[wrap(i - NEAR)]


cdef int find_candidates(const QuarterPositions *positions, PhaseScratch *s) noexcept nogil:
    """Write the middles of the highest peaks off the declared quarters, highest first; returns how many."""
    cdef int i, k, middle, n = 0
    for i in range(POSITIONS):
        if not (s.notes[wrap(i - 1)] <= s.notes[i] > s.notes[i + 1] and MIN_SHARE * s.notes[i] > 1):
            continue
        middle = mean_position(positions, mean_position(positions, i))
        if min(middle, POSITIONS - middle) <= MEAN_REACH:
            continue
        k = n
        if n < MAX_CANDIDATES:
            n += 1
        elif s.notes[middle] > s.notes[s.candidates[n - 1]]:
            k = n - 1
        else:
            continue
        while k and s.notes[s.candidates[k - 1]] < s.notes[middle]:
            s.candidates[k] = s.candidates[k - 1]
            k -= 1
        s.candidates[k] = middle
    return n


cdef int mean_position(const QuarterPositions *positions, int position) noexcept nogil:
    """The mean position, rounded, of the notes within MEAN_REACH."""
    cdef int64_t count, sum = 0, notes = 0
    cdef int i
    for i in range(-MEAN_REACH, MEAN_REACH + 1):
        count = positions.notes[wrap(position + i)]
        notes += count
        sum += count * (i + MEAN_REACH)
    if notes == 0:
        return position
    return wrap(position - MEAN_REACH + <int>((2 * sum + notes) // (2 * notes)))


cdef double score_of(const PhaseScratch *s, int position) noexcept nogil:
    """The score of a candidate: its weighted evidence."""
    cdef double score = bias_of(position)
    cdef int i
    for i in range(OFFSET_COUNT):
        score += NOTE_WEIGHTS[i] * log(s.notes[position + OFFSETS[i]] + FLOOR)
        score += LENGTH_WEIGHTS[i] * log(s.lengths[position + OFFSETS[i]] + FLOOR)
    return score


cdef double bias_of(int position) noexcept nogil:
    """What the position says by itself: a file whose notes are on the declared grid mostly has its beats on the quarters."""
    if position == 0:
        return ON_QUARTER
    if min(position % 48, 48 - position % 48) <= 2:
        return ON_EIGHTH if position == POSITIONS // 2 else ON_SIXTEENTH
    return ON_THIRTY_SECOND if min(position % 24, 24 - position % 24) <= 2 else 0
