"""Bar count, loops and the role of a file; chords and drums too, since they share the bars."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np

from reference.bar_grid import SUBTICKS, Beats, Span, bars_before, spans_of
from reference.drums import drum_facts
from reference.progression import chord_facts
from reference.sections import form_text, sections_of
from reference.sequence import Facts, Sequence

MAX_LOOP_BARS = 64
MAX_CHORD_LOOP_BARS = 16  # of what has the key of a chord loop
LOOP_BARS = (1, 2, 4, 8, 12, 16)
MAX_INT32 = 2**31 - 1
COLUMNS = (
    *("chord_progression", "chord_symbols", "chord_changes_per_bar", "harmonic_rhythm", "drum_density", "drum_pattern"),
    *("bar_count", "is_loop", "loop_bars", "sections"),
)


def loop_facts(sequence: Sequence, spans: list[Span], bars: int, quarter: int) -> Facts:
    """is_loop and loop_bars: a file that can be put end to end and has, or repeats, a usual number of bars.

    Onsets are compared to 1/24 quarter, and nothing may last more than 1/8 quarter beyond the last bar line.
    """
    no_loop = {"is_loop": False, "loop_bars": None}
    bar = spans[0].bar
    if len(spans) > 1 or spans[0].start or bars > MAX_LOOP_BARS or SUBTICKS * sequence.duration > bars * bar + SUBTICKS * quarter // 8:
        return no_loop
    contents: list[Counter[tuple[int, int, bool]]] = [Counter() for _ in range(bars)]
    for note in sequence.notes:
        onset = 3 * SUBTICKS * note.onset + 4 * quarter  # thirds of a subtick, rounded: 1/24 quarter is 8 * quarter of them
        if onset // (3 * bar) >= bars:
            return no_loop
        contents[onset // (3 * bar)][onset % (3 * bar) // (8 * quarter), note.pitch, note.pitched] += 1
    if not contents[0] or not contents[-1]:
        return no_loop
    for length in LOOP_BARS:
        if bars % length == 0 and all(a == b for a, b in zip(contents, contents[length:], strict=False)):
            return {"is_loop": True, "loop_bars": length}
    return no_loop


def role(sequences: list[Sequence], quarter: float, polyphony_mean: float) -> str | None:
    """The first role whose rule holds; None without notes. Simultaneous onsets are counted in the first sequence with notes."""
    notes = [n for s in sequences for n in s.notes]
    pitched = [n for s in sequences for n in s.pitched]
    if not notes:
        return None
    if 10 * len(pitched) <= len(notes):
        return "drums"
    if 10 * len(pitched) <= 9 * len(notes):
        return "full"
    monophonic = np.float32(polyphony_mean) <= 1.25  # as the column holds it
    if all(32 <= n.program <= 39 for n in pitched) or (monophonic and sum(n.pitch for n in pitched) < 50 * len(pitched)):
        return "bass"
    if monophonic:
        return "melody"
    onsets = sorted(n.onset for n in next(s for s in sequences if s.notes).pitched)
    simultaneous = sum(b - a <= int(quarter) // 16 for a, b in pairwise(onsets))
    pitch_range = max(n.pitch for n in pitched) - min(n.pitch for n in pitched)
    return "chords" if 2 * simultaneous >= len(pitched) and pitch_range <= 36 else "full"


def form_facts(sequences: list[Sequence], quarter: int | None, phase: int) -> Facts:
    """Everything but the role, of the first sequence with notes; all null under an SMPTE division, where `quarter` is None.

    `phase` is that of the beats, in 1/192 quarter.
    """
    null: Facts = dict.fromkeys(COLUMNS)
    sequence = next((s for s in sequences if s.notes), None)
    if sequence is None or quarter is None:
        return null
    spans = spans_of(sequence.time_signatures(), quarter, phase, min(n.onset for n in sequence.notes))
    end = SUBTICKS * sequence.music_end
    bars_per_span = bars_before(spans, end - SUBTICKS * quarter // 8)  # a note that rings on by 1/8 quarter begins no further bar
    beats = Beats(spans, bars_per_span)
    bars = sum(bars_per_span)
    chords = chord_facts(sequence, beats, quarter)
    if bars > MAX_CHORD_LOOP_BARS:
        chords["chord_loop"] = None
    return {
        **null,
        **chords,
        **drum_facts(sequence, beats.main, end),
        "bar_count": bars if bars <= MAX_INT32 else None,
        **loop_facts(sequence, spans, bars, quarter),
        "sections": form_text(sections_of(sequence, spans, quarter)),
    }
