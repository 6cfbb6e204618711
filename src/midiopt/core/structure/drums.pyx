"""Measures the density of the drums and classifies the pattern of kick and snare.

A measure has four beats: a bar of 4/4 or 12/8, two of 2/4 or 6/8. The onsets of all measures fall on 48 steps, 12 per beat (3
per sixteenth, 4 per triplet). The pattern follows from the number of measures with a kick or a snare on each beat, give or take
a step; `classify` states classes and thresholds. A swung eighth stands near two thirds of its beat (A. Friberg and A. Sundström,
"Swing Ratios and Ensemble Timing in Jazz Performance", Music Perception 19(3), 2002). Only bars of the main span count.
"""

from libc.math cimport NAN
from libc.stdint cimport int64_t
from libc.string cimport memset

from midiopt.core.facts cimport BREAKBEAT, FOUR_ON_THE_FLOOR, HALF_TIME, NO_PATTERN, NULL_ENUM, ROCK_BACKBEAT, SHUFFLE
from midiopt.core.notes.types cimport NoteColumns, is_drum, onset_of
from midiopt.core.timeline.bar_grid cimport SUBTICK_SHIFT, Span

cdef enum:
    BEAT = 12  # steps

# Kinds of General MIDI percussion: the two kicks; side stick, both snares and the clap.
cdef enum:
    OTHER
    KICK
    SNARE
cdef uint8_t[128] KINDS  # by pitch
KINDS[35] = KINDS[36] = KICK
KINDS[37] = KINDS[38] = KINDS[39] = KINDS[40] = SNARE


cdef void drum_facts(Drums *drums, const Notes *notes, const BarGrid *bars, Facts *facts) noexcept nogil:
    """Set drum_density and drum_pattern of one sequence; null without drums."""
    cdef const Span *span = &bars.spans[bars.main_span]
    cdef int i, n_bars = 0, measures = 0
    cdef int64_t total, bar_limit
    facts.drum_density = NAN
    facts.drum_pattern = NULL_ENUM
    if notes.counts.drums == 0:
        return
    bar_limit = min((min(span.end, bars.end) - span.start) // span.bar + 2, <int64_t>MAX_DRUM_BARS)
    total = count_hits(drums, notes, span, bar_limit)
    if total == 0:
        return
    for i in range(<int>bar_limit):
        n_bars += drums.bar_has_drums[i]
        measures += drums.measure_has_kick_or_snare[i]
    facts.drum_density = <double>total / n_bars
    facts.drum_pattern = NO_PATTERN
    if span.numerator in (2, 4, 6, 8, 12, 16) and measures:
        facts.drum_pattern = classify(drums.hits[KICK], drums.hits[SNARE], drums.hits[OTHER], measures)


cdef int64_t count_hits(Drums *drums, const Notes *notes, const Span *span, int64_t bar_limit) noexcept nogil:
    """Enter the drums of a span's first bars, up to `bar_limit`; returns how many there are."""
    cdef NoteColumns c = notes.columns  # a copy: no store can change it
    cdef size_t i
    cdef int bars_per_measure = 2 if span.numerator in (2, 6) else 1
    cdef double steps_per_subtick = <double>STEPS / (span.bar * bars_per_measure)
    cdef int64_t onset, step, bar, total = 0
    cdef int kind
    memset(drums.bar_has_drums, 0, bar_limit)
    memset(drums.measure_has_kick_or_snare, 0, bar_limit)
    memset(drums.hits, 0, sizeof(drums.hits))
    for i in range(c.count):
        if not is_drum(&c, i):
            continue
        onset = onset_of(&c, i) << SUBTICK_SHIFT
        kind = KINDS[c.sound[i] >> 1]
        if onset < span.start or onset >= span.end:
            continue
        step = <int64_t>((onset - span.start) * steps_per_subtick + 0.5)
        bar = step * bars_per_measure // STEPS
        if bar >= bar_limit:
            continue
        drums.bar_has_drums[bar] = 1
        drums.measure_has_kick_or_snare[step // STEPS] |= kind > OTHER
        drums.hits[kind][step % STEPS] += 1
        total += 1
    return total


cdef uint32_t hits_on_beat(const uint32_t *hits, int beat, uint32_t measures) noexcept nogil:
    """The number of measures in which a beat (0 to 3) is struck, give or take a step."""
    return min(hits[(beat * BEAT + STEPS - 1) % STEPS] + hits[beat * BEAT] + hits[beat * BEAT + 1], measures)


cdef uint8_t classify(const uint32_t *kick, const uint32_t *snare, const uint32_t *other, uint32_t measures) noexcept nogil:
    """The first pattern that holds, of `measures` with a kick or a snare:

    four on the floor   a kick on each beat in 3 of 4
    shuffle             offbeats on the third triplet of the beat: two per measure, twice as many as on straight
                        eighths and sixteenths, and twice as many as on the second triplet
    half time           a kick on 1 in half; a snare on 3 in 3 of 5, on 2 and on 4 in 1 of 5 at most
    breakbeat           a snare on 2 or 4 in half, a kick on 3 in fewer, and one kick or snare per measure on an odd sixteenth
    rock backbeat       a kick on 1 in half; a snare on 2 and on 4 in 3 of 5
    """
    cdef uint32_t[4] kicks
    cdef uint32_t[4] snares
    cdef uint32_t straight = 0, swung = 0, second = 0, odd = 0, hits
    cdef int beat, i
    for beat in range(4):
        kicks[beat] = hits_on_beat(kick, beat, measures)
        snares[beat] = hits_on_beat(snare, beat, measures)
        for i in range(2, BEAT - 1):
            if not 5 <= i <= 7:
                odd += kick[beat * BEAT + i] + snare[beat * BEAT + i]
            hits = kick[beat * BEAT + i] + snare[beat * BEAT + i] + other[beat * BEAT + i]
            if i in (7, 8):
                swung += hits
            elif i == 4:
                second += hits
            elif i in (3, 5, 6, 9):
                straight += hits
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
