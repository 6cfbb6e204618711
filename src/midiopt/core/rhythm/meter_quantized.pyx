"""The meter of notes that keep to the quarters that their file declares; of others, meter_accents.pyx guesses it.

Time is cut into slots of 1/12 quarter, which hold sixteenths and triplets. How long the bars are shows in what the
music fits onto itself after so many slots (its long notes, its low notes, the notes on top), and in where in a bar it
begins and ends, if its file begins with one. A multinomial logit weighs this; training/meter.py has learnt the
weights. What is declared is no evidence. reference/meter.py has the same in plain Python.
"""

from libc.math cimport cos, pi
from libc.stdint cimport int64_t, uint8_t, uint16_t
from libc.string cimport memset

from midiopt.core.rhythm import meter_quantized_weights
from midiopt.core.rhythm.meter_accents cimport likeliest
from midiopt.core.notes.types cimport TICK_SHIFT, PackedNote

cdef extern from *:
    int trailing_zeros "__builtin_ctzll"(uint64_t x) noexcept nogil
    int ones "__builtin_popcountll"(uint64_t x) noexcept nogil

cdef enum:
    SLOTS = 12  # a quarter
    FEWEST_SLOTS = 6  # with onsets
    LONGEST = 48  # slots from one onset to the next
    CIRCLE = 432  # slots: a multiple of all periods
    LOW = 21  # shift of the field of onsets.pyx's weights that tells low notes

cdef int[PERIOD_COUNT] PERIODS = [12, 18, 24, 36, 48, 54, 72, 108, 144]
cdef int[LAG_COUNT] LAGS = [6, 9, 12, 18, 24, 36, 48, 54, 60, 72, 96, 108, 144, 162, 192, 216]
cdef int[STEP_COUNT] STEPS = [2, 3, 4, 6, 8, 9, 12, 18, 24, 36, 48]
cdef double HALF = 0.49876543211  # of a slot: no note lies on the edge between two, give or take rounding

cdef double[QUANTIZED_METERS][QUANTIZED_FEATURES] WEIGHTS
cdef int _m, _i
for _m in range(QUANTIZED_METERS):
    for _i in range(QUANTIZED_FEATURES):
        WEIGHTS[_m][_i] = meter_quantized_weights.WEIGHTS[_m][_i]

cdef double[CIRCLE] COS


cdef void make_circle() noexcept nogil:
    cdef int i
    for i in range(CIRCLE):
        COS[i] = cos(2 * pi * i / CIRCLE)


make_circle()


cdef bint meter_of_bars(SlotScratch *s, const Notes *notes, double quarter, const uint64_t *weights, double drums, MeterEstimate *estimate) noexcept nogil:
    """The likeliest meter, the first on a tie; False when there are too few onsets. `quarter` is in ticks, `weights` tells
    by pitch << 1 | drum which notes are low, `drums` is their share."""
    cdef double *features = s.features
    cdef double per_tick = SLOTS / quarter
    cdef int64_t first = slot_of(notes.counts.first_onset, per_tick)
    cdef int64_t end = slot_of(notes.counts.last_end, per_tick)
    cdef int i, m, n, words = WORDS
    memset(s.tops, 0, sizeof(s.tops))
    memset(s.struck, 0, sizeof(s.struck))
    memset(s.low, 0, sizeof(s.low))
    memset(s.long_, 0, sizeof(s.long_))
    mark_notes(s, notes, first, per_tick, weights)
    while s.struck[words - 1] == 0:  # the first slot has notes
        words -= 1
    n = count_ones(s.struck, words)
    if n < FEWEST_SLOTS:
        return False
    features[0] = 1
    features[1] = drums
    i = 2
    measure_steps(s, words, n, features + i)
    i += STEP_COUNT
    for m in range(PERIOD_COUNT):
        features[i + m] = COS[first % PERIODS[m] * (CIRCLE // PERIODS[m])]
        features[i + PERIOD_COUNT + m] = COS[end % PERIODS[m] * (CIRCLE // PERIODS[m])]
    i += 2 * PERIOD_COUNT
    fits_after(s.long_, words, features + i)
    fits_after(s.low, words, features + i + LAG_COUNT)
    equal_tops(s, 64 * words, n, features + i + 2 * LAG_COUNT)
    for m in range(QUANTIZED_METERS):
        s.scores[m] = 0
    for i in range(QUANTIZED_FEATURES):
        for m in range(QUANTIZED_METERS):  # inside, so that no sum waits for itself
            s.scores[m] += WEIGHTS[m][i] * s.features[i]
    estimate[0] = likeliest(s.scores, QUANTIZED_METERS)
    return True


cdef inline int64_t slot_of(int64_t tick, double per_tick) noexcept nogil:
    return <int64_t>(<double>tick * per_tick + HALF)


cdef void mark_notes(SlotScratch *s, const Notes *notes, int64_t first, double per_tick, const uint64_t *weights) noexcept nogil:
    """Enter the notes of the slots that are looked at."""
    cdef const PackedNote *note = notes.notes
    cdef const PackedNote *end = note + notes.note_count
    cdef uint8_t *highest = <uint8_t *>s.tops
    cdef uint64_t key, limit = <uint64_t>((first + MOST_SLOTS - HALF) / per_tick) + 1 << TICK_SHIFT
    cdef int64_t slot
    while note < end:
        key = note.onset
        note += 1
        if key >= limit:
            continue
        slot = slot_of(key >> TICK_SHIFT, per_tick) - first
        s.struck[slot >> 6] |= <uint64_t>1 << (slot & 63)
        s.low[slot >> 6] |= <uint64_t>(weights[key & 0xFF] >> LOW != 0) << (slot & 63)
        slot = slot << 1 | key & 1
        highest[slot] = max(highest[slot], <uint8_t>((key >> 1 & 0x7F) + 1))


cdef int count_ones(const uint64_t *marks, int words) noexcept nogil:
    cdef int i, count = 0
    for i in range(words):
        count += ones(marks[i])
    return count


cdef void measure_steps(SlotScratch *s, int words, int n, double *features) noexcept nogil:
    """The share of each of STEPS among the `n` steps from one slot to the next; marks the slots before those that are half
    longer than their mean. The last is a quarter."""
    cdef uint16_t count, step
    cdef uint64_t bits, found
    cdef int i = -1, k, word, slot, sum = SLOTS, before = 0, least
    for word in range(words):
        bits = s.struck[word]
        while bits:
            slot = word << 6 | trailing_zeros(bits)
            if i >= 0:
                s.steps[i] = <uint16_t>min(slot - before, <int>LONGEST)
                sum += s.steps[i]
            before = slot
            i += 1
            bits &= bits - 1
    s.steps[i] = SLOTS
    least = (3 * sum + 2 * n - 1) // (2 * n)
    i = 0
    for word in range(words):
        bits = s.struck[word]
        found = 0
        while bits:
            found |= <uint64_t>(s.steps[i] >= least) << trailing_zeros(bits)
            i += 1
            bits &= bits - 1
        s.long_[word] = found
    for k in range(STEP_COUNT):
        step = <uint16_t>STEPS[k]
        count = 0
        for i in range(n):
            count += s.steps[i] == step
        features[k] = count / <double>n


cdef void fits_after(const uint64_t *marks, int words, double *features) noexcept nogil:
    """The share of the marks that have another so many slots later, by lag. Words of silence follow them."""
    cdef int i, word, shift, count, n = max(count_ones(marks, words), 1)
    cdef const uint64_t *later
    for i in range(LAG_COUNT):
        later = marks + (LAGS[i] >> 6)
        shift = LAGS[i] & 63
        count = 0
        for word in range(words):  # two shifts, since one by 64 is none
            count += ones(marks[word] & (later[word] >> shift | later[word + 1] << 1 << 63 - shift))
        features[i] = count / <double>n


cdef void equal_tops(SlotScratch *s, int slots, int n, double *features) noexcept nogil:
    """The share of the `n` slots with notes, the last before `slots`, that have the same on top so much later, by lag."""
    # A comparison alone is a vector: with all lags an analysis takes 11 us less than with a branch.
    cdef uint16_t count
    cdef const uint16_t *later
    cdef int i, lag
    for i in range(slots):
        s.here[i] = s.tops[i] - (s.tops[i] == 0)  # silence is like no other
    for lag in range(LAG_COUNT):
        later = s.tops + LAGS[lag]
        count = 0
        for i in range(slots):
            count += s.here[i] == later[i]
        features[lag] = count / <double>n
