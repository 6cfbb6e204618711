"""What the whole file is: its bars, whether it loops, and which part of a band it plays."""

from libc.stdint cimport INT32_MAX, int32_t, int64_t, uint8_t, uint64_t
from libc.string cimport memset

from midiopt.core.timeline.bar_grid cimport SUBTICK_SHIFT
from midiopt.core.facts cimport BASS, CHORDS, DRUM_PART, FULL, MELODY, NULL_ENUM, NULL_INT16
from midiopt.core.notes.types cimport TICK_SHIFT, PackedNote

cdef uint64_t MIX = 0x9E3779B97F4A7C15, MIX_AGAIN = 0xC2B2AE3D27D4EB4F  # odd

cdef enum:
    LOOPS = 6
    LONGEST_LOOP = 64  # bars, rounds included
    LOWEST_MELODY = 50  # mean pitch: a bass guitar's notes are below D3 for the most part
    CHORD_SPAN = 36  # half tones: a hand or two, without a melody far above or a bass far below

cdef int[LOOPS] LOOP_BARS = [1, 2, 4, 8, 12, 16]


cdef void form_facts(const Notes *notes, const BarGrid *bars, int64_t duration, Facts *facts) noexcept nogil:
    """bar_count, is_loop and loop_bars of one sequence; `duration` in ticks, up to its last event.

    A loop begins in its first bar and plays in its last, ends with a bar line (nothing sounds or is
    written more than an eighth of a quarter after it), keeps one signature, and has 1, 2, 4, 8, 12 or 16
    bars; or it is up to 64 bars of such a loop repeated note for note (onsets to 1/24 quarter).
    """
    cdef uint64_t[LONGEST_LOOP] contents
    cdef int n, i, k, length
    facts.bar_count = <int32_t>min(bars.bar_count, INT32_MAX)
    facts.is_loop = False
    facts.loop_bars = NULL_INT16
    if bars.span_count > 1 or bars.bar_count > LONGEST_LOOP:
        return
    n = <int>bars.bar_count
    if (duration << SUBTICK_SHIFT) > n * bars.spans[0].bar + (bars.quarter >> 3):
        return
    if not read_contents(notes, bars, n, contents) or contents[0] == 0 or contents[n - 1] == 0:
        return
    for k in range(LOOPS):
        length = LOOP_BARS[k]
        if n % length:
            continue
        i = length
        while i < n and contents[i] == contents[i - length]:
            i += 1
        if i >= n:
            facts.is_loop = True
            facts.loop_bars = length
            return


cdef bint read_contents(const Notes *notes, const BarGrid *bars, int n, uint64_t *contents) noexcept nogil:
    """A sum of hashes of the notes that begin in each bar, 0 for none; False when one begins after all."""
    cdef const PackedNote *note = notes.notes
    cdef const PackedNote *end = note + notes.note_count
    cdef int64_t on, bar = 3 * bars.spans[0].bar, step = bars.quarter >> 3  # in thirds of a unit, so that 1/24 quarter is whole
    cdef int64_t here
    cdef double per_bar = 1.0 / bar, per_step = 1.0 / step
    cdef uint64_t hash
    memset(contents, 0, n * sizeof(uint64_t))
    while note < end:
        on = 3 * (<int64_t>(note.onset >> TICK_SHIFT) << SUBTICK_SHIFT) + (step >> 1)
        if on >= n * bar:
            return False
        # Whole numbers below 2**51: the half keeps the quotient of a multiple above it.
        here = <int64_t>((<double>on + 0.5) * per_bar)
        hash = <uint64_t>((<double>(on - here * bar) + 0.5) * per_step) + 1
        hash = (hash << TICK_SHIFT | (note.onset & 0xFF)) * MIX
        contents[here] += (hash ^ hash >> 32) * MIX_AGAIN | 1
        note += 1
    return True


cdef int64_t struck_together(const Notes *notes, int64_t slack) noexcept nogil:
    """Pitched notes that begin within `slack` ticks of the one before, whatever its track; 0 where the range says enough."""
    cdef const uint64_t *step = notes.sorted_boundaries
    cdef const uint64_t *end = step + notes.boundary_count
    cdef int64_t tick, before = -slack - 1, count = 0
    if range_of(notes) > CHORD_SPAN:
        return 0
    while step < end:  # without a branch on what begins and what ends, which nothing foretells
        tick = step[0] >> 1
        count += <int64_t>(step[0] & 1) & (tick - before <= slack)
        before = tick if step[0] & 1 else before
        step += 1
    return count


cdef int range_of(const Notes *notes) noexcept nogil:
    """Half tones from the lowest pitched note to the highest; 0 without any."""
    cdef int lowest = 0, highest = 127
    while lowest < highest and notes.counts.pitches[lowest << 1] == 0:
        lowest += 1
    while highest > lowest and notes.counts.pitches[highest << 1] == 0:
        highest -= 1
    return highest - lowest


cdef uint8_t role_of(const Notes *notes, int64_t together, const Facts *facts) noexcept nogil:
    """The part that a file plays, from what is known of its notes; null without any.

    drums    nine notes of ten are drums
    full     a tenth and more are drums beside others
    bass     one note at a time (polyphony up to 1.25 on average) and a mean pitch below 50; or basses
             (programs 32 to 39) and nothing else
    melody   one note at a time
    chords   half of the notes and more are struck together with one before, within three octaves
    full     anything else
    """
    cdef int64_t sum = 0, pitched = facts.note_count - facts.drum_note_count
    cdef int i
    cdef bint basses = facts.programs[4] != 0
    if facts.note_count == 0:
        return NULL_ENUM
    if 10 * pitched <= facts.note_count:
        return DRUM_PART
    if 10 * <int64_t>facts.drum_note_count >= facts.note_count:
        return FULL
    for i in range(128):
        sum += i * <int64_t>notes.counts.pitches[i << 1]
    for i in range(16):
        basses &= i == 4 or facts.programs[i] == 0
    if basses or (facts.polyphony_mean <= 1.25 and sum < LOWEST_MELODY * pitched):
        return BASS
    if facts.polyphony_mean <= 1.25:
        return MELODY
    if 2 * together >= pitched and facts.pitch_max - facts.pitch_min <= CHORD_SPAN:
        return CHORDS
    return FULL
