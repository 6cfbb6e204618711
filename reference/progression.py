"""The progression that chords make: the loop, how often they change and how long they hold (docs/accuracy-methods.md, "Chords")."""

from __future__ import annotations

from collections import Counter
from itertools import groupby, pairwise

from reference.bar_grid import SUBTICKS, Beats
from reference.chords import Chord, beat_weights, estimate_chords, held, thin_parts
from reference.sequence import Facts, Sequence

MAX_BEATS_HELD = 128  # a chord counts as held for at most this many
LOOP_BARS = (2, 4, 8, 12)
SHORT_PIECE_BARS = 8  # a piece no longer than this is its own loop


def half_bar_chord(chords: list[Chord | None]) -> Chord | None:
    """Of the beats of a half bar, the first with the triad of most, on a tie the one that reaches their number first."""
    count: Counter[Chord] = Counter()
    most: Chord | None = None
    for chord in chords:
        if chord is not None:
            count[chord.triad] += 1
            most = chord.triad if most is None or count[chord.triad] > count[most] else most
    return next((chord for chord in chords if chord is not None and chord.triad == most), None)


def loop_range(triads: list[Chord | None], per_bar: int) -> range:
    """The loop of 2, 4, 8 or 12 bars whose repeats cover the most half bars; `per_bar` is half bars per bar.

    A short piece is its own loop unless one covers all of it; without a loop the first 8 bars count.
    """
    first = triads.count(None)
    length_with_chords = len(triads) - first
    best, loop = 0, range(first, min(first + SHORT_PIECE_BARS * per_bar, len(triads)))
    for bars in LOOP_BARS:
        length = bars * per_bar
        repeats: Counter[tuple[Chord | None, ...]] = Counter()
        earliest: dict[tuple[Chord | None, ...], int] = {}
        free_from: dict[tuple[Chord | None, ...], int] = {}  # repeats must not overlap
        for start in range(0, len(triads) - length + 1, per_bar):
            window = tuple(triads[start : start + length])
            if start >= first and len(set(window)) > 1 and start >= free_from.get(window, 0):
                repeats[window] += 1
                earliest.setdefault(window, start)
                free_from[window] = start + length
        for window, times in repeats.items():  # in order of first occurrence
            if times > 1 and times * length > best:
                best, loop = times * length, range(earliest[window], earliest[window] + length)
    if length_with_chords <= SHORT_PIECE_BARS * per_bar and length_with_chords > best:
        loop = range(first, len(triads))
    n = len(loop)
    window = tuple(triads[i] for i in loop)
    return loop[: next(p for p in range(1, n + 1) if n % p == 0 and window[:p] * (n // p) == window)]  # the loop may itself repeat


def in_writing(chords: list[Chord], lowest: int) -> str:
    """The symbols, each chord once for as long as it holds."""
    return " ".join(chord.symbol(lowest) for chord, _ in groupby(chords))


def chord_facts(sequence: Sequence, beats: Beats, quarter: int) -> Facts:
    """The facts of the chords; empty if two pitch classes never sound together. `chord_loop` has the triads if all parts play chords."""
    if sequence.polyphony()[0] < 2:
        return {}
    lowest = min(note.pitch for note in sequence.pitched) % 12  # so that a tie is a tie in every transposition
    weights, basses = beat_weights(beats, sequence.pitched, lowest, quarter)
    if not any(sum(x > 0 for x in w) >= 2 for w in weights):
        return {}
    chords = held(estimate_chords(weights, basses))
    placed = [(chord.triad, span) for chord, span in zip(chords, beats.spans, strict=True) if chord is not None]
    if not placed:
        return {}
    changes = sum(a != b for (a, _), (b, _) in pairwise(placed))
    lengths = sorted(min(len(list(run)), MAX_BEATS_HELD) for _, run in groupby(chord for chord, _ in placed))  # beats
    median = next(length for length in lengths if 2 * sum(n for n in lengths if n <= length) >= sum(lengths))
    halves = [half_bar_chord(chords[half.start : half.stop]) for half in beats.half_bars()]
    triads = [None if chord is None else chord.triad for chord in halves]
    loop = [chord for i in loop_range(triads, beats.main.halves) if (chord := halves[i]) is not None]
    all_thick = not thin_parts(sequence.pitched, quarter, everywhere=True)
    return {
        "chord_loop": [((chord.root + lowest) % 12, chord.quality) for chord, _ in placed] if all_thick else None,
        "chord_progression": in_writing([chord.triad for chord in loop], lowest),
        "chord_symbols": in_writing(loop, lowest),
        "chord_changes_per_bar": changes / sum(1 / (span.halves * span.beats) for _, span in placed),
        "harmonic_rhythm": median * beats.main.beat / (SUBTICKS * quarter),
    }
