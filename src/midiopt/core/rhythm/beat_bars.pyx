"""Finds the bars of tracked beats: of 2, 3 or 4 beats, whichever gives the highest score.

The best path through the positions of the bar (A. Viterbi, 1967): from one to the next, or anywhere else at a cost, as where beats were
lost or the meter changes. Its score is that of its downbeats.
"""

from libc.math cimport log
from libc.stdint cimport int64_t

cdef enum:
    MIN_METER = 2

# Chosen with BEAT_SHARE and the others of reference/beat_tracker.py: with 5 instead of 2, F of downbeats is 0.04 lower.
cdef double SLIP_COST = 2.0


cdef void place_in_bars(BarScores *scores, TrackedBeat *beats, size_t n) noexcept nogil:
    """Set the positions of the beats in their bars."""
    cdef double score, best_score = 0
    cdef int meter, best = 0
    for meter in range(MIN_METER, MAX_METER + 1):
        score = follow_positions(scores, beats, n, meter)
        if best == 0 or score > best_score:
            best = meter
            best_score = score
    if best < MAX_METER:  # else its positions are there
        follow_positions(scores, beats, n, best)


cdef double follow_positions(BarScores *scores, TrackedBeat *beats, size_t n, int meter) noexcept nogil:
    """Set the best positions in bars of `meter` beats; returns their score."""
    cdef double slipped
    cdef int64_t i
    cdef int k, before, highest
    for k in range(meter):
        scores.best[k] = -log(<double>meter)
    scores.best[0] += beats[0].downbeat
    for i in range(1, <int64_t>n):
        highest = highest_of(scores.best, meter)
        slipped = scores.best[highest] - SLIP_COST
        for k in range(meter):
            before = k - 1 if k else meter - 1
            beats[i].back[k] = <uint8_t>(before if scores.best[before] >= slipped else highest)
            scores.longer[k] = max(scores.best[before], slipped)
        scores.longer[0] += beats[i].downbeat
        for k in range(meter):
            scores.best[k] = scores.longer[k]
    highest = highest_of(scores.best, meter)
    k = highest
    for i in range(<int64_t>n - 1, -1, -1):
        beats[i].position = <uint8_t>k
        k = beats[i].back[k] if i else 0
    return scores.best[highest]


cdef int highest_of(const double *values, int n) noexcept nogil:
    """The index of the highest value, the first on a tie."""
    cdef int k, highest = 0
    for k in range(1, n):
        if values[k] > values[highest]:
            highest = k
    return highest
