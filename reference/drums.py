"""Drum density and the drum pattern, from the notes on channel 10 (docs/accuracy-methods.md, "Drums")."""

from __future__ import annotations

import math
from collections import Counter

from reference.bar_grid import SUBTICKS, Span
from reference.sequence import Facts, Sequence

MAX_BARS = 4096
STEPS = 48  # per measure of four beats
STEPS_PER_BEAT = 12
TWO_BAR_NUMERATORS = (2, 6)  # two bars of these make a measure
PATTERN_NUMERATORS = (2, 4, 6, 8, 12, 16)
KICKS, SNARES = {35, 36}, {37, 38, 39, 40}


def drum_pattern(kick: Counter[int], snare: Counter[int], hits: Counter[int], measures: int) -> str:
    """The first pattern whose rule holds, from the hits per step: of kicks, of snares, and of all drums."""

    def on_beat(counts: Counter[int], number: int) -> float:
        """Share of the measures with a hit within a step of a beat, counted from 1."""
        step = STEPS_PER_BEAT * (number - 1)
        return min(counts[(step - 1) % STEPS] + counts[step] + counts[step + 1], measures) / measures

    def within_beats(counts: Counter[int], *steps: int) -> int:
        """Hits on these steps of any beat."""
        return sum(counts[STEPS_PER_BEAT * beat + step] for beat in range(4) for step in steps)

    kicks = {number: on_beat(kick, number) for number in (1, 2, 3, 4)}
    snares = {number: on_beat(snare, number) for number in (1, 2, 3, 4)}
    third_triplet, second_triplet = within_beats(hits, 7, 8), within_beats(hits, 4)
    straight = within_beats(hits, 3, 5, 6, 9)
    if min(kicks.values()) >= 0.75:
        return "four on the floor"
    if third_triplet >= 2 * measures and third_triplet >= 2 * straight and third_triplet >= 2 * second_triplet:
        return "shuffle"
    if kicks[1] >= 0.5 and snares[3] >= 0.6 and max(snares[2], snares[4]) <= 0.2:
        return "half time"
    if max(snares[2], snares[4]) >= 0.5 and kicks[3] < 0.5 and within_beats(kick + snare, 2, 3, 4, 8, 9, 10) >= measures:
        return "breakbeat"
    if kicks[1] >= 0.5 and min(snares[2], snares[4]) >= 0.6:
        return "rock backbeat"
    return "none"


def drum_facts(sequence: Sequence, span: Span, music_end: int) -> Facts:
    """drum_density and drum_pattern in the bars of one span; empty without drums there. `music_end` is in subticks."""
    bars_per_measure = 2 if span.numerator in TWO_BAR_NUMERATORS else 1
    steps_per_subtick = STEPS / (span.bar * bars_per_measure)
    end_bar = min((min(span.end, music_end) - span.start) // span.bar + 2, MAX_BARS)
    hits = []  # (step, pitch)
    for note in sequence.notes:
        if not note.pitched and span.start <= SUBTICKS * note.onset < span.end:
            step = math.floor((SUBTICKS * note.onset - span.start) * steps_per_subtick + 0.5)
            if step * bars_per_measure // STEPS < end_bar:
                hits.append((step, note.pitch))
    if not hits:
        return {}
    bars = {step * bars_per_measure // STEPS for step, _ in hits}
    facts: Facts = {"drum_density": len(hits) / len(bars), "drum_pattern": "none"}
    kick, snare = (Counter(step % STEPS for step, pitch in hits if pitch in drums) for drums in (KICKS, SNARES))
    measures = len({step // STEPS for step, pitch in hits if pitch in KICKS | SNARES})
    if measures and span.numerator in PATTERN_NUMERATORS:
        facts["drum_pattern"] = drum_pattern(kick, snare, Counter(step % STEPS for step, _ in hits), measures)
    return facts
