"""Finds the bars of tracked beats: of 2, 3 or 4 beats, whichever gives the highest score.

The best path through the positions of the bar (A. Viterbi, 1967): from one to the next, or anywhere else at a cost, as where beats were
lost or the meter changes. Its score is that of its downbeats.
"""

from libc.math cimport log
from libc.stdint cimport uint8_t

# Where the positions of each meter begin in TrackedBeat.back.
cdef enum:
    TWOS = 0
    THREES = 2
    FOURS = 5

# Chosen with BEAT_SHARE and the others of reference/beat_tracker.py: with 5 instead of 2, F of downbeats is 0.04 lower.
cdef double SLIP_COST = 2.0


cdef void place_in_bars(TrackedBeat *beats, size_t n) noexcept nogil:
    """Set the positions of the beats in their bars; on a tie, bars are short.

    All meters are followed at once, with all scores in variables: each beat waits for the one before, and from arrays it took three times
    as long.
    """
    cdef double two_0 = -log(<double>2) + beats[0].downbeat, two_1 = -log(<double>2)
    cdef double three_0 = -log(<double>3) + beats[0].downbeat, three_1 = -log(<double>3), three_2 = three_1
    cdef double four_0 = -log(<double>4) + beats[0].downbeat, four_1 = -log(<double>4), four_2 = four_1, four_3 = four_1
    cdef double slipped, last, downbeat, twos, threes, fours
    cdef uint8_t highest
    cdef uint8_t *back
    cdef size_t i
    for i in range(1, n):
        downbeat = beats[i].downbeat
        back = beats[i].back
        highest = 1 if two_1 > two_0 else 0
        slipped = max(two_0, two_1) - SLIP_COST
        back[TWOS] = 1 if two_1 >= slipped else highest
        back[TWOS + 1] = 0 if two_0 >= slipped else highest
        last = two_1
        two_1 = max(two_0, slipped)
        two_0 = max(last, slipped) + downbeat
        highest = highest_of_three(three_0, three_1, three_2)
        slipped = max(max(three_0, three_1), three_2) - SLIP_COST
        back[THREES] = 2 if three_2 >= slipped else highest
        back[THREES + 1] = 0 if three_0 >= slipped else highest
        back[THREES + 2] = 1 if three_1 >= slipped else highest
        last = three_2
        three_2 = max(three_1, slipped)
        three_1 = max(three_0, slipped)
        three_0 = max(last, slipped) + downbeat
        highest = highest_of_four(four_0, four_1, four_2, four_3)
        slipped = max(max(four_0, four_1), max(four_2, four_3)) - SLIP_COST
        back[FOURS] = 3 if four_3 >= slipped else highest
        back[FOURS + 1] = 0 if four_0 >= slipped else highest
        back[FOURS + 2] = 1 if four_1 >= slipped else highest
        back[FOURS + 3] = 2 if four_2 >= slipped else highest
        last = four_3
        four_3 = max(four_2, slipped)
        four_2 = max(four_1, slipped)
        four_1 = max(four_0, slipped)
        four_0 = max(last, slipped) + downbeat
    twos = max(two_0, two_1)
    threes = max(max(three_0, three_1), three_2)
    fours = max(max(four_0, four_1), max(four_2, four_3))
    if twos >= threes and twos >= fours:
        set_positions(beats, n, TWOS, 1 if two_1 > two_0 else 0)
    elif threes >= fours:
        set_positions(beats, n, THREES, highest_of_three(three_0, three_1, three_2))
    else:
        set_positions(beats, n, FOURS, highest_of_four(four_0, four_1, four_2, four_3))


cdef void set_positions(TrackedBeat *beats, size_t n, int meter, uint8_t last) noexcept nogil:
    """Follow the positions back from that of the last beat, by what is stored from `meter` on."""
    cdef size_t i
    beats[n - 1].position = last
    for i in range(n - 1, 0, -1):
        beats[i - 1].position = beats[i].back[meter + beats[i].position]


cdef inline uint8_t highest_of_three(double a, double b, double c) noexcept nogil:
    """The index of the highest value, the first on a tie."""
    return 2 if c > max(a, b) else 1 if b > a else 0


cdef inline uint8_t highest_of_four(double a, double b, double c, double d) noexcept nogil:
    """The index of the highest value, the first on a tie."""
    if max(c, d) > max(a, b):
        return 3 if d > c else 2
    return 1 if b > a else 0
