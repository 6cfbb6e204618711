"""How dense the drums are, and what kick and snare play.

A measure has four beats: a bar of 4/4 or 12/8, two of 2/4 or 6/8. Onsets of all measures fall on 48 steps,
12 a beat (sixteenths are 3 steps, triplets 4), and a pattern is read from how many measures have a kick or
a snare on a beat, within a step. Classes and thresholds are stated in `classify`; a swung eighth stands near two thirds of
its beat (A. Friberg and A. Sundström, "Swing Ratios and Ensemble Timing in Jazz Performance", Music
Perception 19(3), 2002). Only bars under the signature with the most of them count.
"""

from libc.math cimport NAN
from libc.stdint cimport int64_t, uint32_t
from libc.string cimport memset

from midiopt.core.timeline.bar_grid cimport SUBTICK_SHIFT, Span
from midiopt.core.facts cimport BREAKBEAT, FOUR_ON_THE_FLOOR, HALF_TIME, NO_PATTERN, NULL_ENUM, ROCK_BACKBEAT, SHUFFLE
from midiopt.core.smf.midi cimport DRUM_CHANNEL
from midiopt.core.notes.types cimport TICK_SHIFT, PackedNote

cdef enum:
    BEAT = 12

# General MIDI percussion: acoustic and electric kick; side stick, both snares and the clap.
cdef enum:
    OTHER
    KICK
    SNARE
cdef uint8_t[128] KIT
KIT[35] = KIT[36] = KICK
KIT[37] = KIT[38] = KIT[39] = KIT[40] = SNARE


cdef void drum_facts(Drums *drums, const Notes *notes, const BarGrid *bars, Facts *facts) noexcept nogil:
    """drum_density and drum_pattern of the notes of one sequence; null without drums."""
    cdef const Span *span = &bars.spans[bars.main_span]
    cdef const PackedNote *note = notes.notes
    cdef const PackedNote *end = note + notes.note_count
    cdef int bars_a_measure = 1, b, n_bars = 0, measures = 0
    cdef int64_t on, step, measure, bar, last, total = 0
    cdef double per_unit
    cdef int drum
    facts.drum_density = NAN
    facts.drum_pattern = NULL_ENUM
    if notes.counts.channels[DRUM_CHANNEL] == 0:
        return
    if span.numerator in (2, 6):
        bars_a_measure = 2
    per_unit = <double>STEPS / (span.bar * bars_a_measure)
    last = min((min(span.end, bars.end) - span.start) // span.bar + 2, <int64_t>MOST_BARS)
    memset(drums.played, 0, last)
    memset(drums.driven, 0, last)
    memset(drums.hits, 0, sizeof(drums.hits))
    while note < end:
        on = <int64_t>(note.onset >> TICK_SHIFT) << SUBTICK_SHIFT
        drum = KIT[note.onset >> 1 & 0x7F]
        if note.onset & 1 == 0 or on < span.start or on >= span.end:
            note += 1
            continue
        note += 1
        step = <int64_t>((on - span.start) * per_unit + 0.5)
        measure = step // STEPS
        bar = step * bars_a_measure // STEPS
        if bar >= last:
            continue
        drums.played[bar] = 1
        drums.driven[measure] |= drum > OTHER
        drums.hits[drum][step % STEPS] += 1
        total += 1
    for b in range(<int>last):
        n_bars += drums.played[b]
        measures += drums.driven[b]
    if total == 0:
        return
    facts.drum_density = <double>total / n_bars
    facts.drum_pattern = NO_PATTERN
    if span.numerator in (2, 4, 6, 8, 12, 16) and measures:
        facts.drum_pattern = classify(drums.hits[KICK], drums.hits[SNARE], drums.hits[OTHER], measures)


cdef uint32_t on_beat(const uint32_t *hits, int beat, uint32_t measures) noexcept nogil:
    """Measures in which a beat (0 to 3) is struck, to within a step."""
    return min(hits[(beat * BEAT + STEPS - 1) % STEPS] + hits[beat * BEAT] + hits[beat * BEAT + 1], measures)


cdef uint8_t classify(const uint32_t *kick, const uint32_t *snare, const uint32_t *other, uint32_t measures) noexcept nogil:
    """The first that holds, of `measures` with a kick or a snare:

    four on the floor   a kick on each beat in 3 of 4
    shuffle             offbeats on the third triplet of the beat: two a measure, twice as many as on straight
                        eighths and sixteenths, and twice as many as on the second triplet
    half time           a kick on 1 in half; a snare on 3 in 3 of 5, on 2 and on 4 in 1 of 5 at most
    breakbeat           a snare on 2 or 4 in half, a kick on 3 in fewer, and a kick or snare a measure on an odd sixteenth
    rock backbeat       a kick on 1 in half; a snare on 2 and on 4 in 3 of 5
    """
    cdef uint32_t[4] kicks
    cdef uint32_t[4] snares
    cdef uint32_t straight = 0, swung = 0, second = 0, odd = 0, hit
    cdef int beat, i
    for beat in range(4):
        kicks[beat] = on_beat(kick, beat, measures)
        snares[beat] = on_beat(snare, beat, measures)
        for i in range(2, BEAT - 1):
            if not 5 <= i <= 7:
                odd += kick[beat * BEAT + i] + snare[beat * BEAT + i]
            hit = kick[beat * BEAT + i] + snare[beat * BEAT + i] + other[beat * BEAT + i]
            if i in (7, 8):
                swung += hit
            elif i == 4:
                second += hit
            elif i in (3, 5, 6, 9):
                straight += hit
    if 4 * min(min(kicks[0], kicks[1]), min(kicks[2], kicks[3])) >= 3 * measures:
        return FOUR_ON_THE_FLOOR
    if swung >= 2 * measures and swung >= 2 * straight and swung >= 2 * second:
        return SHUFFLE
    if 2 * kicks[0] >= measures and 5 * snares[2] >= 3 * measures and 5 * max(snares[1], snares[3]) <= measures:
        return HALF_TIME
    if 2 * max(snares[1], snares[3]) >= measures and 2 * kicks[2] < measures and odd >= measures:
        return BREAKBEAT
    if 2 * kicks[0] >= measures and 5 * min(snares[1], snares[3]) >= 3 * measures:
        return ROCK_BACKBEAT
    return NO_PATTERN
