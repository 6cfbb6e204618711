"""The key: evidence for each of the 24 keys, weighted by a linear model (docs/accuracy-methods.md, "Key").

Keys are numbered from the pitch class of the lowest note up, majors 0 to 11 and minors 12 to 23, so that a tie is resolved
the same way in every transposition.
"""

from __future__ import annotations

import math
from itertools import groupby, pairwise
from statistics import correlation, fmean

from midiopt.core.harmony.key_weights import DIATONIC_CHORDS, LOOP_WEIGHTS, WEIGHTS
from midiopt.schema import KEYS, USUAL_KEYS
from reference.sequence import Facts, Sequence

# J. Albrecht and D. Shanahan, "The Use of Large Corpora to Train a New Type of Key-Finding Algorithm", Music Perception 31(1), 2013.
MAJOR_PROFILE = (0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081)
MINOR_PROFILE = (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052)
KEY_CHANGE_COST = 0.8  # in correlations of a segment
SEGMENT_COUNT = 16  # equal parts of the piece, for key changes
MIN_NOTES = 3
HALF_CONFIDENCE_LOOP_NOTES = 3
HALF_CONFIDENCE_NOTES = 15  # with this many notes the weights count half in the confidence
TIE = 1e-9  # weights this close tie, so that rounding decides nothing


def key_correlations(weights: list[int], lowest: int) -> list[float]:
    """Pearson correlation of each key's profile with the square roots of 12 pitch-class weights; zeros if these are all equal."""
    roots = [math.sqrt(w) for w in weights]
    mean = fmean(roots)
    if sum((root - mean) ** 2 for root in roots) <= 1e-12 * sum(weights):
        return [0.0] * 24
    # A profile begins with its tonic; shifted by the tonic it begins with C.
    shifted = [(profile, lowest + tonic) for profile in (MAJOR_PROFILE, MINOR_PROFILE) for tonic in range(12)]
    return [correlation(roots, [profile[(pc - shift) % 12] for pc in range(12)]) for profile, shift in shifted]


def argmax(weights: list[float]) -> int:
    """The first of the highest weights, ties included."""
    winner = 0
    for k, weight in enumerate(weights):
        if weight > weights[winner] + TIE:
            winner = k
    return winner


def viterbi_path(segments: list[list[int]], lowest: int) -> list[int]:
    """The key of each segment on the path with the highest sum of correlations less KEY_CHANGE_COST per change (A. Viterbi, 1967)."""
    best = [0.0] * 24  # of the paths that end with each key
    paths: list[list[int]] = [[]] * 24
    for segment in segments:
        leader = argmax(best)
        after_change = best[leader] - KEY_CHANGE_COST
        previous = [leader if after_change > best[k] + TIE else k for k in range(24)]
        paths = [[*paths[previous[k]], k] for k in range(24)]
        best = [max(score, after_change) + r for score, r in zip(best, key_correlations(segment, lowest), strict=True)]
    return paths[argmax(best)]


def note_evidence(sequences: list[Sequence], pitches: list[int]) -> tuple[list[list[float]], int]:
    """Six kinds of evidence from the notes, each for 24 keys, and the number of key changes."""
    lowest = min(pitches) % 12
    segments = [[0] * 12 for _ in range(SEGMENT_COUNT)]  # ticks per pitch class
    opening, closing = [0] * 12, [0] * 12  # ticks within the first two quarters, and from the last onset on
    for s in sequences:
        if not s.pitched:
            continue
        first, last = min(n.onset for n in s.pitched), max(n.onset for n in s.pitched)
        opening_end = first + int(2 * s.quarter)
        for n in s.pitched:
            segments[(n.onset - first) * SEGMENT_COUNT // (last - first + 1)][n.pitch % 12] += n.end - n.onset
            opening[n.pitch % 12] += max(min(n.end, opening_end) - n.onset, 0)
            closing[n.pitch % 12] += max(n.end - max(n.onset, last), 0)
    counts = [sum(p % 12 == pc for p in pitches) for pc in range(12)]
    durations = [sum(column) for column in zip(*segments, strict=True)]
    sounding = [segment for segment in segments if any(segment)]
    path = viterbi_path(sounding, lowest)
    changes = sum(a != b for a, b in pairwise(path))
    held = [sum(sum(segment) for segment, key in zip(sounding, path, strict=True) if key == k) for k in range(24)]  # ticks

    keys = [(minor, (lowest + tonic) % 12) for minor in (False, True) for tonic in range(12)]
    return [
        key_correlations(durations if any(durations) else counts, lowest),
        key_correlations(counts, lowest),
        key_correlations(opening, lowest),
        [closing[tonic] / (sum(closing) or 1) for _, tonic in keys],
        [0.0 if minor else math.sqrt(counts[(tonic + 10) % 12] / len(pitches)) for minor, tonic in keys],  # flat seventh
        [ticks / sum(durations) if changes else 0.0 for ticks in held],
    ], changes


def declaration_evidence(names: list[str], declared: str | None) -> list[list[float]]:
    """Four kinds of evidence from a key signature: same signature, same signature as C, declared minor, declared major."""
    if declared is None:
        return [[0.0] * len(names) for _ in range(4)]
    declared_minor = declared.endswith("m")
    same = [sharps(name) % 12 == sharps(declared) % 12 for name in names]
    minor = [name.endswith("m") for name in names]
    return [
        [float(s and declared != "C") for s in same],
        [float(s and declared == "C") for s in same],
        [float(s and m and declared_minor) for s, m in zip(same, minor, strict=True)],
        [float(s and not m and declared != "C" and not declared_minor) for s, m in zip(same, minor, strict=True)],
    ]


def weighted(evidence: list[list[float]], weights: tuple[float, ...]) -> list[float]:
    """The weight of each key: its evidence times the weights, summed."""
    return [sum(weight * value for weight, value in zip(weights, of_key, strict=False)) for of_key in zip(*evidence, strict=True)]


def sharps(key: str) -> int:
    """Sharps of a key's signature, negative for flats."""
    row = KEYS.index(key)
    return row - 7 if row < 15 else row - 22


def loop_evidence(chords: list[tuple[int, int]], durations: list[float], lowest: int) -> list[list[float]]:
    """Six kinds of evidence from the chords of a loop, each for 24 keys: (root, quality) of each beat."""
    loop = [chord for chord, _ in groupby(chords)]
    tonics = [((lowest + tonic) % 12, minor) for minor in (0, 1) for tonic in range(12)]

    def is_diatonic(chord: tuple[int, int], tonic: int, minor: int) -> bool:
        return ((chord[0] - tonic) % 12, chord[1]) in DIATONIC_CHORDS[minor]

    return [
        durations,
        [float(loop[0] == tonic) for tonic in tonics],
        [float(loop[-1] == tonic) for tonic in tonics],
        [loop.count(tonic) / len(loop) for tonic in tonics],
        [sum(is_diatonic(chord, *tonic) for chord in loop) / len(loop) for tonic in tonics],
        [float(minor) for _, minor in tonics],
    ]


def key_facts(sequences: list[Sequence], declared: str | None, loop: list[tuple[int, int]] | None) -> Facts:
    """key, key_notes, key_confidence and key_changes; null with fewer than three pitched notes. `loop` is for loop_evidence."""
    pitches = [n.pitch for s in sequences for n in s.pitched]
    if len(pitches) < MIN_NOTES:
        return {"key": None, "key_notes": None, "key_confidence": 0.0, "key_changes": 0}
    lowest = min(pitches) % 12
    names = [USUAL_KEYS[12 * minor + (lowest + tonic) % 12] for minor in (0, 1) for tonic in range(12)]
    from_notes, changes = note_evidence(sequences, pitches)
    scores = weighted(from_notes, WEIGHTS)
    if loop is not None:
        scores = weighted(loop_evidence(loop, from_notes[0], lowest), LOOP_WEIGHTS)
    from_declaration = weighted(declaration_evidence(names, declared), WEIGHTS[len(from_notes) :])
    weights = [a + b for a, b in zip(scores, from_declaration, strict=True)]
    winner = argmax(weights)
    trust = len(pitches) / (len(pitches) + (HALF_CONFIDENCE_NOTES if loop is None else HALF_CONFIDENCE_LOOP_NOTES))
    return {
        "key": names[winner],
        "key_notes": names[argmax(scores)],
        "key_confidence": 1 / sum(math.exp(trust * (w - weights[winner])) for w in weights),
        "key_changes": changes,
    }
