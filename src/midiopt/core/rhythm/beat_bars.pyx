"""Finds the bars of tracked beats: of 2, 3 or 4 beats, whichever gives the highest score.

The best path through the positions of the bar (A. Viterbi, 1967): from one to the next, or anywhere else at a cost, as where beats were
lost or the meter changes. Its score is that of its downbeats.
"""

from libc.math cimport log
from libc.stdint cimport uint8_t

# Chosen with BEAT_SHARE and the others of reference/beat_tracker.py: with 5 instead of 2, F of downbeats is 0.04 lower.
cdef double SLIP_COST = 2.0


cdef void place_in_bars(BarScores *scores, TrackedBeat *beats, size_t n) noexcept nogil:
    """Set the positions of the beats in their bars; on a tie, bars are short."""
    cdef double twos = follow_positions(scores, beats, n, 2)  # with constants gcc unrolls the loops over positions
    cdef double threes = follow_positions(scores, beats, n, 3)
    cdef double fours = follow_positions(scores, beats, n, 4)
    if twos >= threes and twos >= fours:
        follow_positions(scores, beats, n, 2)
    elif threes >= fours:
        follow_positions(scores, beats, n, 3)
    set_positions(beats, n)


cdef inline double follow_positions(BarScores *s, TrackedBeat *beats, size_t n, int meter) noexcept nogil:
    """Set, for each beat and position, the best position of the beat before, in bars of `meter` beats; returns the best score."""
    cdef double slipped
    cdef size_t i
    cdef int k, before, highest
    for k in range(meter):
        s.best[k] = -log(<double>meter)
    s.best[0] += beats[0].downbeat
    for i in range(1, n):
        highest = highest_of(s.best, meter)
        slipped = s.best[highest] - SLIP_COST
        for k in range(meter):
            before = k - 1 if k else meter - 1
            beats[i].back[k] = <uint8_t>(before if s.best[before] >= slipped else highest)
            s.longer[k] = max(s.best[before], slipped)
        s.longer[0] += beats[i].downbeat
        for k in range(meter):
            s.best[k] = s.longer[k]
    highest = highest_of(s.best, meter)
    beats[n - 1].position = <uint8_t>highest
    return s.best[highest]


cdef void set_positions(TrackedBeat *beats, size_t n) noexcept nogil:
    """Follow the positions back from the last beat."""
    cdef size_t i
    for i in range(n - 1, 0, -1):
        beats[i - 1].position = beats[i].back[beats[i].position]


cdef inline int highest_of(const double *values, int n) noexcept nogil:
    """The index of the highest value, the first on a tie."""
    cdef int k, highest = 0
    for k in range(1, n):
        highest = k if values[k] > values[highest] else highest
    return highest
