"""A chord per half bar by template matching, and the progression that they make (docs/accuracy-methods.md, "Chords")."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from itertools import groupby, pairwise
from typing import TypeAlias

from midiopt.schema import MAJOR_TONICS, MINOR_TONICS
from reference.bar_grid import SUBTICKS, HalfBars
from reference.sequence import Facts, Note, Sequence

Chord: TypeAlias = int | None  # 12 * quality + root, where the root counts from the pitch class of the lowest note; None before the first

QUALITIES = (("", 4, 7), ("m", 3, 7), ("dim", 3, 6), ("aug", 4, 8), ("sus4", 5, 7), ("sus2", 2, 7))  # name, third, fifth in semitones
COMMON_QUALITIES = ("", "m")
WEIGHT_SCALE = 4096  # weight of a pitch class that sounds for a usual half bar
MAX_WEIGHT = 1 << 20
WEIGHT_OFFSET = 0.37123456789  # added before a weight is truncated, so that the same music weighs the same at every division
NO_BASS = 128
MAX_HALF_BARS_HELD = 64  # a note sounds in at most this many half bars after the first, a chord counts as held for at most this many
LOOP_BARS = (2, 4, 8, 12)
SHORT_PIECE_BARS = 8  # a piece no longer than this is its own loop


def half_bar_weights(half_bars: HalfBars, notes: list[Note], lowest: int) -> tuple[list[list[int]], list[int]]:
    """The weight (sounding time) of each pitch class in each half bar, and the lowest pitch that sounds for a third of it.

    Pitches and pitch classes count from `lowest`, the pitch class of the lowest note; NO_BASS if there is no such pitch.
    """
    weights = [[0] * 12 for _ in half_bars.starts]
    bass = [NO_BASS] * len(weights)
    scale = WEIGHT_SCALE / half_bars.main.half_bar
    for note in notes:
        on, off = SUBTICKS * note.onset, SUBTICKS * note.end
        first = bisect_right(half_bars.starts, on) - 1
        for i in range(first, min(first + MAX_HALF_BARS_HELD + 1, len(weights))):
            start, end = half_bars.starts[i], half_bars.ends[i]
            sounding = min(off, end) - max(on, start)
            if (i > first and sounding <= 0) or on >= end:
                break
            pc = (note.pitch - lowest) % 12
            weights[i][pc] = min(weights[i][pc] + int(sounding * scale + WEIGHT_OFFSET), MAX_WEIGHT)
            if 3 * sounding >= end - start:
                bass[i] = min(bass[i], note.pitch - lowest)
    return weights, bass


def template_scores(weights: list[int], bass: int | None) -> list[int]:
    """The score of each chord: the weight of its three pitch classes, corrected.

    Added are 1/16 of all weight if the bass is the root, and 1/4 of the weight of a seventh; 1/8 of all weight is
    subtracted from qualities other than major and minor.
    """
    total = sum(weights)

    def score(quality: str, third: int, fifth: int, root: int) -> int:
        minor_seventh, major_seventh = weights[(root + 10) % 12], weights[(root + 11) % 12]
        seventh = {"": max(minor_seventh, major_seventh), "m": minor_seventh}.get(quality, 0)
        triad = weights[root] + weights[(root + third) % 12] + weights[(root + fifth) % 12]
        return triad + total // 16 * (root == bass) + seventh // 4 - (0 if quality in COMMON_QUALITIES else total // 8)

    return [score(*quality, root) for quality in QUALITIES for root in range(12)]


def estimate_chords(weights: list[list[int]], bass: list[int]) -> list[Chord]:
    """A chord per half bar. It stays until another scores more than 1/16 of all weight higher, also through rests and single notes."""
    chords: list[Chord] = []
    current: Chord = None
    for w, low in zip(weights, bass, strict=True):
        if sum(x > 0 for x in w) >= 2:
            scores = template_scores(w, low % 12 if low < NO_BASS else None)
            if current is None or scores[current] < max(scores) - sum(w) // 16:
                current = scores.index(max(scores))
        chords.append(current)
    return chords


def chord_name(chord: int, lowest: int) -> str:
    """The name of a chord, spelled after its third."""
    quality, third, _ = QUALITIES[chord // 12]
    return (MINOR_TONICS if third == 3 else MAJOR_TONICS)[(chord + lowest) % 12] + quality


def progression_text(chords: list[Chord], lowest: int) -> str:
    """The names of the shortest loop that makes up the chords, each chord once for as long as it holds."""
    n = len(chords)
    period = next(p for p in range(1, n + 1) if n % p == 0 and chords[:p] * (n // p) == chords)
    return " ".join(chord_name(chord, lowest) for chord, _ in groupby(chords[:period]) if chord is not None)


def progression(chords: list[Chord], per_bar: int, lowest: int) -> str:
    """The loop of 2, 4, 8 or 12 bars whose repeats cover the most half bars; `per_bar` is half bars per bar.

    A short piece is its own loop unless one covers all of it; without a loop the first 8 bars count.
    """
    first = chords.count(None)
    length_with_chords = len(chords) - first
    best, loop = 0, chords[first : first + SHORT_PIECE_BARS * per_bar]
    for bars in LOOP_BARS:
        length = bars * per_bar
        repeats: Counter[tuple[Chord, ...]] = Counter()
        free_from: dict[tuple[Chord, ...], int] = {}  # repeats must not overlap
        for start in range(0, len(chords) - length + 1, per_bar):
            window = tuple(chords[start : start + length])
            if start >= first and len(set(window)) > 1 and start >= free_from.get(window, 0):
                repeats[window] += 1
                free_from[window] = start + length
        for window, times in repeats.items():  # in order of first occurrence
            if times > 1 and times * length > best:
                best, loop = times * length, list(window)
    if length_with_chords <= SHORT_PIECE_BARS * per_bar and length_with_chords > best:
        loop = chords[first:]
    return progression_text(loop, lowest)


def chord_facts(sequence: Sequence, half_bars: HalfBars, quarter: int) -> Facts:
    """chord_progression, chord_changes_per_bar and harmonic_rhythm; empty if two pitch classes never sound together."""
    if sequence.polyphony()[0] < 2:
        return {}
    lowest = min(note.pitch for note in sequence.pitched) % 12  # so that a tie is a tie in every transposition
    chords = estimate_chords(*half_bar_weights(half_bars, sequence.pitched, lowest))
    placed = [(chord, span) for chord, span in zip(chords, half_bars.spans, strict=True) if chord is not None]
    if not placed:
        return {}
    changes = sum(a != b for (a, _), (b, _) in pairwise(placed))
    held = sorted(min(len(list(run)), MAX_HALF_BARS_HELD) for _, run in groupby(chord for chord, _ in placed))  # half bars
    median = next(length for length in held if 2 * sum(h for h in held if h <= length) >= sum(held))
    return {
        "chord_progression": progression(chords, half_bars.main.halves, lowest),
        "chord_changes_per_bar": changes / sum(1 / span.halves for _, span in placed),
        "harmonic_rhythm": median * half_bars.main.half_bar / (SUBTICKS * quarter),
    }
