"""The key, slowly and plainly: the part of analyzer.py that core/harmony/chroma.pyx and core/harmony/key.pyx answer to."""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import correlation, fmean

from midiopt.schema import KEYS

MAJORS = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
MINORS = ("Cm", "C#m", "Dm", "Ebm", "Em", "Fm", "F#m", "Gm", "G#m", "Am", "Bbm", "Bm")
MAJOR_PROFILE = (0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081)  # Albrecht & Shanahan 2013
MINOR_PROFILE = (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052)
KEY_WEIGHTS = (11.00, 4.69, 2.26, 1.39, -2.62, 3.04, 2.11, 0.66, 0.95, 1.95)  # by kind of evidence, as in core/harmony/key.pyx
KEY_CHANGE = 0.8
FEW_NOTES = 15
TIE = 1e-9


def correlations(weights: list[float], lowest: int) -> list[float]:
    """How each key's profile correlates with the roots of 12 weights: majors from the lowest note's class up, then minors."""
    roots = [math.sqrt(w) for w in weights]
    mean = fmean(roots)
    if sum((root - mean) ** 2 for root in roots) <= 1e-12 * sum(weights):
        return [0.0] * 24
    # A profile stands tonic first; turned up by the tonic it is heard from C.
    turns = [(profile, lowest + tonic) for profile in (MAJOR_PROFILE, MINOR_PROFILE) for tonic in range(12)]
    return [correlation(roots, [profile[(pc - turn) % 12] for pc in range(12)]) for profile, turn in turns]


def heaviest(weights: list[float]) -> int:
    winner = 0
    for k, weight in enumerate(weights):
        if weight > weights[winner] + TIE:
            winner = k
    return winner


def held_keys(stretches: list[list[int]], lowest: int) -> list[int]:
    """The key of each stretch, on the course with the best correlations less KEY_CHANGE for each change."""
    best = [0.0] * 24  # of the courses that end with each key
    courses: list[list[int]] = [[]] * 24
    for stretch in stretches:
        leader = heaviest(best)
        changed = best[leader] - KEY_CHANGE
        came_from = [leader if changed > best[k] + TIE else k for k in range(24)]
        courses = [[*courses[came_from[k]], k] for k in range(24)]
        best = [max(score, changed) + r for score, r in zip(best, correlations(stretch, lowest), strict=True)]
    return courses[heaviest(best)]


def key_facts(sequences: list, declared: str | None) -> dict[str, object]:
    """key, key_notes, key_confidence and key_changes: the evidence for each of the 24 keys, weighed."""
    pitches = [n.pitch for s in sequences for n in s.pitched]
    if len(pitches) < 3:
        return {"key": None, "key_notes": None, "key_confidence": 0.0, "key_changes": 0}
    lowest = min(pitches) % 12
    stretches = [[0] * 12 for _ in range(16)]  # ticks by pitch class
    opening, closing = [0] * 12, [0] * 12
    for s in sequences:
        if not s.pitched:
            continue
        first, last = min(n.onset for n in s.pitched), max(n.onset for n in s.pitched)
        opened = first + int(2 * s.quarter)
        for n in s.pitched:
            stretches[(n.onset - first) * 16 // (last - first + 1)][n.pitch % 12] += n.end - n.onset
            opening[n.pitch % 12] += max(min(n.end, opened) - n.onset, 0)
            closing[n.pitch % 12] += max(n.end - max(n.onset, last), 0)
    counts = [sum(p % 12 == pc for p in pitches) for pc in range(12)]
    durations = [sum(column) for column in zip(*stretches, strict=True)]
    sounding = [stretch for stretch in stretches if any(stretch)]
    held = held_keys(sounding, lowest)
    changes = sum(a != b for a, b in pairwise(held))
    times = [sum(sum(stretch) for stretch, h in zip(sounding, held, strict=True) if h == k) for k in range(24)]

    keys = [(minor, (lowest + tonic) % 12) for minor in (False, True) for tonic in range(12)]
    names = [(MINORS if minor else MAJORS)[tonic] for minor, tonic in keys]
    from_notes = [
        correlations(durations if any(durations) else counts, lowest),
        correlations(counts, lowest),
        correlations(opening, lowest),
        [closing[tonic] / (sum(closing) or 1) for _, tonic in keys],
        [0.0 if minor else math.sqrt(counts[(tonic + 10) % 12] / len(pitches)) for minor, tonic in keys],
        [time / sum(durations) if changes else 0.0 for time in times],
    ]
    same = [declared is not None and fifths(name) % 12 == fifths(declared) % 12 for name in names]
    from_declaration = [
        [alike and declared != "C" for alike in same],
        [alike and declared == "C" for alike in same],
        [alike and minor and declared.endswith("m") for alike, (minor, _) in zip(same, keys, strict=True)],
        [alike and not minor and declared != "C" and not declared.endswith("m") for alike, (minor, _) in zip(same, keys, strict=True)],
    ]
    by_notes, weights = weigh(from_notes), weigh([*from_notes, *from_declaration])
    winner = heaviest(weights)
    trust = len(pitches) / (len(pitches) + FEW_NOTES)
    return {
        "key": names[winner],
        "key_notes": names[heaviest(by_notes)],
        "key_confidence": 1 / sum(math.exp(trust * (w - weights[winner])) for w in weights),
        "key_changes": changes,
    }


def weigh(kinds: list[list[float]]) -> list[float]:
    """The weight of each key, from what each kind of evidence says of it."""
    return [sum(weight * value for weight, value in zip(KEY_WEIGHTS, of_key, strict=False)) for of_key in zip(*kinds, strict=True)]


def fifths(key: str) -> int:
    """Sharps of a key's signature, negative for flats."""
    i = KEYS.index(key)
    return i - 7 if i < 15 else i - 22
