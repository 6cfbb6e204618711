"""What the tracked beats of a performance know better than its onsets: the tempo, and the number of bars."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

MAX_TRACKED = 32768  # notes of a performance of which facts are tracked
MAX_UNENDED = 128  # of them that have no event but their own
UNSURE = 0.7  # bpm_onsets_confidence up to which the tracked tempo is right more often
TRACKED_CONFIDENCE = 0.5
OCTAVE_TOLERANCE = 0.06
STEP_BEGIN, MAX_DISTANCE = 0.37, 4096  # milliseconds
# A distance that is longer than `limit` times the median is multiplied by `level`, and counts as 6 / level beats: level, weight, limit.
# The limits are the geometric means of neighbouring levels.
LEVELS = ((1 / 3, 18, 2.4495), (1 / 2, 12, 1.4142), (1, 6, 0.7071), (2, 3, 0.4082))
LAST_LEVEL, LAST_WEIGHT = 3, 2


def is_tracked(notes: int, events: int) -> bool:
    """Whether facts are tracked of a performance with so many notes, in a file with so many events."""
    return notes <= MAX_TRACKED and 2 * notes <= events + MAX_UNENDED


def median_distance(beats: list[tuple[float, int]]) -> float:
    """The median of the distances between beats in seconds, once those of other levels are counted at the most common one.

    Where the music slows down, a track may go on by halves of its beats: their distances are doubled, and two count as one beat.
    """
    distances = [b - a for (a, _), (b, _) in pairwise(beats)]
    middle = weighted_median([(distance, 1) for distance in distances])
    return weighted_median([at_level(distance, middle) for distance in distances])


def at_level(distance: float, middle: float) -> tuple[float, int]:
    """Half, twice or a third of a distance, or three times it, whichever is nearest to another; and a weight: the beats that it holds."""
    for level, weight, limit in LEVELS:
        if distance > limit * middle:
            return distance * level, weight
    return distance * LAST_LEVEL, LAST_WEIGHT


def weighted_median(distances: list[tuple[float, int]]) -> float:
    """The lower median of distances with weights, in seconds, to a millisecond."""
    counts: Counter[int] = Counter()
    for distance, weight in distances:
        counts[min(int(1000 * distance + STEP_BEGIN), MAX_DISTANCE - 1)] += weight
    seen, total = 0, counts.total()
    for step in sorted(counts):
        seen += counts[step]
        if 2 * seen >= total:
            break
    return (step + 0.5 - STEP_BEGIN) / 1000


def tracked_tempo(distance: float, bpm: float) -> float:
    """The tempo of beats at a distance in seconds, at the octave of the tempo of the onsets."""
    tracked = 60 / distance
    for factor in (2, 1 / 2):
        if abs(tracked / bpm - factor) <= factor * OCTAVE_TOLERANCE:
            return tracked / factor
    return tracked


def performance_facts(beats: list[tuple[float, int]], bpm: float, confidence: float) -> dict[str, Any]:
    """What tracked beats know better: the tempo where it is unsure, and the number of bars."""
    facts: dict[str, Any] = {"tracked_bars": max(sum(position == 0 for _, position in beats), 1)}
    if len(beats) > 1 and confidence <= UNSURE:
        facts |= {"bpm_onsets": tracked_tempo(median_distance(beats), bpm), "bpm_onsets_confidence": TRACKED_CONFIDENCE}
    return facts
