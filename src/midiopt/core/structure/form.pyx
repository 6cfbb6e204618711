"""Facts of the whole file: its bars, whether it loops, and which part of a band it plays."""

from libc.stddef cimport size_t
from libc.stdint cimport INT32_MAX, int32_t, int64_t, uint64_t
from libc.string cimport memset

from midiopt.core.facts cimport BASS, CHORDS, DRUM_PART, FULL, MELODY, NULL_ENUM, NULL_INT16, NULL_INT32
from midiopt.core.notes.types cimport NoteColumns, onset_of, tick_t
from midiopt.core.timeline.bar_grid cimport SUBTICK_SHIFT

cdef uint64_t MULTIPLIER_1 = 0x9E3779B97F4A7C15, MULTIPLIER_2 = 0xC2B2AE3D27D4EB4F  # of the hash of a note; odd

cdef enum:
    LOOP_LENGTHS = 6
    MAX_LOOP = 64  # bars, repetitions included
    MIN_MELODY_PITCH = 50  # mean pitch: the notes of a bass guitar are mostly below D3
    MAX_CHORD_RANGE = 36  # half tones: one or two hands, without a melody far above or a bass far below

cdef int[LOOP_LENGTHS] LOOP_BARS = [1, 2, 4, 8, 12, 16]


cdef void form_facts(const Notes *notes, const BarGrid *bars, int64_t duration, Facts *facts) noexcept nogil:
    """Set bar_count, is_loop and loop_bars of one sequence; `duration` is the tick of its last event.

    A loop begins with its first bar and in it, plays in its last, ends with a bar line (nothing sounds or is written more than an eighth of
    a quarter after it), keeps one signature, and has 1, 2, 4, 8, 12 or 16 bars; or it has up to 64 bars that repeat such a loop
    note for note (onsets to 1/24 quarter).
    """
    cdef uint64_t[MAX_LOOP] hashes
    cdef int n, i, k, length
    facts.bar_count = <int32_t>bars.bar_count if bars.bar_count <= INT32_MAX else NULL_INT32
    facts.is_loop = False
    facts.loop_bars = NULL_INT16
    if bars.span_count > 1 or bars.bar_count > MAX_LOOP or bars.spans[0].start:
        return
    n = <int>bars.bar_count
    if (duration << SUBTICK_SHIFT) > n * bars.spans[0].bar + (bars.quarter >> 3):
        return
    if not hash_bars(notes, bars, n, hashes) or hashes[0] == 0 or hashes[n - 1] == 0:
        return
    for k in range(LOOP_LENGTHS):
        length = LOOP_BARS[k]
        if n % length:
            continue
        i = length
        while i < n and hashes[i] == hashes[i - length]:
            i += 1
        if i >= n:
            facts.is_loop = True
            facts.loop_bars = length
            return


cdef bint hash_bars(const Notes *notes, const BarGrid *bars, int n, uint64_t *hashes) noexcept nogil:
    """Set the hash of the notes that begin in each of n bars, 0 for none; False when a note begins after them.

    A bar's hash is the sum of its notes' hashes. Positions are in thirds of a subtick, so that 1/24 quarter is an integer.
    """
    cdef NoteColumns c = notes.columns  # a copy: no store can change it
    cdef size_t i
    cdef int64_t onset, bar = 3 * bars.spans[0].bar, step = bars.quarter >> 3
    cdef int64_t index
    cdef double bars_per_unit = 1.0 / bar, steps_per_unit = 1.0 / step
    cdef uint64_t hash
    memset(hashes, 0, n * sizeof(uint64_t))
    for i in range(c.count):
        onset = 3 * (onset_of(&c, i) << SUBTICK_SHIFT) + (step >> 1)
        if onset >= n * bar:
            return False
        # Integers below 2**51: adding 0.5 keeps the quotient of a multiple from being truncated to the number below it.
        index = <int64_t>((<double>onset + 0.5) * bars_per_unit)
        hash = <uint64_t>((<double>(onset - index * bar) + 0.5) * steps_per_unit) + 1
        hash = (hash << 8 | c.sound[i]) * MULTIPLIER_1
        hashes[index] += (hash ^ hash >> 32) * MULTIPLIER_2 | 1
    return True


cdef int64_t count_simultaneous(const Notes *notes, int64_t tolerance) noexcept nogil:
    """The number of pitched notes that begin within `tolerance` ticks of the one before, on any track; 0 where the pitch range
    is too wide for chords."""
    if pitch_range(notes) > MAX_CHORD_RANGE:
        return 0
    if notes.columns.wide:
        return count_close_onsets[int64_t](<const int64_t *>notes.sorted_boundaries, notes.boundary_count, tolerance)
    return count_close_onsets[int32_t](<const int32_t *>notes.sorted_boundaries, notes.boundary_count, tolerance)


cdef int64_t count_close_onsets(const tick_t *boundary, size_t n, int64_t tolerance) noexcept nogil:
    """The same, of `n` boundaries in time order."""
    cdef int64_t tick, before = -tolerance - 1, count = 0
    cdef size_t i
    for i in range(n):  # without a branch on whether it is an onset, which cannot be predicted
        tick = boundary[i] >> 1
        count += <int64_t>(boundary[i] & 1) & (tick - before <= tolerance)
        before = tick if boundary[i] & 1 else before
    return count


cdef int pitch_range(const Notes *notes) noexcept nogil:
    """Half tones from the lowest pitched note to the highest; 0 without any."""
    cdef int lowest = 0, highest = 127
    while lowest < highest and notes.counts.pitches[lowest << 1] == 0:
        lowest += 1
    while highest > lowest and notes.counts.pitches[highest << 1] == 0:
        highest -= 1
    return highest - lowest


cdef uint8_t role_of(const Notes *notes, int64_t simultaneous, const Facts *facts) noexcept nogil:
    """The part that a file plays; NULL_ENUM without notes. `simultaneous` is that of count_simultaneous.

    drums    nine notes of ten are drums
    full     a tenth or more are drums
    bass     one note at a time (mean polyphony up to 1.25) and a mean pitch below 50; or bass programs (32 to 39) alone
    melody   one note at a time
    chords   half of the notes or more begin together with the one before, within three octaves
    full     anything else
    """
    cdef int64_t sum = 0, pitched = facts.note_count - facts.drum_note_count
    cdef int i
    cdef bint only_basses = facts.programs[4] != 0
    if facts.note_count == 0:
        return NULL_ENUM
    if 10 * pitched <= facts.note_count:
        return DRUM_PART
    if 10 * <int64_t>facts.drum_note_count >= facts.note_count:
        return FULL
    for i in range(128):
        sum += i * <int64_t>notes.counts.pitches[i << 1]
    for i in range(16):
        only_basses &= i == 4 or facts.programs[i] == 0
    if only_basses or (facts.polyphony_mean <= 1.25 and sum < MIN_MELODY_PITCH * pitched):
        return BASS
    if facts.polyphony_mean <= 1.25:
        return MELODY
    if 2 * simultaneous >= pitched and facts.pitch_max - facts.pitch_min <= MAX_CHORD_RANGE:
        return CHORDS
    return FULL
