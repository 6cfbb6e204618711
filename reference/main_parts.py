"""The tracks that have the melody and the bass: main_parts.pyx in plain Python."""

from __future__ import annotations

import math
from collections.abc import Sequence as Items
from dataclasses import dataclass
from itertools import pairwise
from operator import mul
from statistics import fmean

from midiopt.core.structure import main_parts_weights

SURE = 0.8  # probability above which a track is named
MIN_SECONDS = 0.1
WEIGHTS = {"bass": main_parts_weights.BASS, "melody": main_parts_weights.MELODY}
FEATURES = (
    *("constant", "more than one note at a time, to 2", "to 0.3", "pitch", "distance of the pitch from 67"),
    *("share of the time", "of the longest", "notes, of the mean", "notes a second", "range", "steps", "repeats", "leaps"),
    *("velocity, above the mean", "bass program"),
)


@dataclass(frozen=True)
class Part:
    """A track with pitched notes."""

    notes: int
    pitch: float  # mean
    pitch_range: int  # half tones
    polyphony: float  # mean
    seconds: float  # in which at least one note sounds
    first_onset_s: float
    last_onset_s: float
    velocity: float  # mean
    program: int
    intervals: list[int]  # half tones from the highest note of each onset to that of the next


def intervals_of(notes: Items[tuple[int, int]]) -> list[int]:
    """Half tones between the highest notes of successive onsets, from (onset, pitch)."""
    highest: dict[int, int] = {}
    for onset, pitch in notes:
        highest[onset] = max(pitch, highest.get(onset, 0))
    return [abs(after - before) for (_, before), (_, after) in pairwise(sorted(highest.items()))]


def part_features(parts: list[Part]) -> list[list[float]]:
    """The features of each part, in the order of FEATURES."""
    mean_notes, mean_velocity = fmean(p.notes for p in parts), fmean(p.velocity for p in parts)
    longest = max(MIN_SECONDS, *(p.seconds for p in parts))
    span = max(MIN_SECONDS, max(p.last_onset_s for p in parts) - min(p.first_onset_s for p in parts))
    features = []
    for p in parts:
        more, moves = max(p.polyphony - 1, 0.0), max(len(p.intervals), 1)
        features.append(
            [
                *(1.0, min(more, 2.0), min(more, 0.3), (p.pitch - 60) / 12, abs(p.pitch - 67) / 12),
                *(min(p.seconds / span, 1.0), p.seconds / longest),
                *(math.log((p.notes + 1) / (mean_notes + 1)), math.log(p.notes / max(p.seconds, MIN_SECONDS))),
                *(p.pitch_range / 12, sum(i in (1, 2) for i in p.intervals) / moves, p.intervals.count(0) / moves),
                *(min(sum(p.intervals) / moves, 12) / 12, (p.velocity - mean_velocity) / 16, float(32 <= p.program <= 39)),
            ]
        )
    return features


def main_parts(parts: list[Part]) -> list[str | None]:
    """What each part is: "melody" or "bass" if that is sure. The surer one wins a track that is both."""
    named: list[str | None] = [None] * len(parts)
    if not parts:
        return named
    features = part_features(parts)
    choices = []
    for name, weights in WEIGHTS.items():
        scores = [sum(map(mul, weights, of_part)) for of_part in features]
        highest = max(0.0, *scores)
        total = math.exp(-highest) + sum(math.exp(score - highest) for score in scores)
        choices.append((math.exp(max(scores) - highest) / total, scores.index(max(scores)), name))
    for probability, i, name in sorted(choices, key=lambda choice: choice[0]):  # the surest last; of equal ones the melody
        if probability > SURE:
            named[i] = name
    return named
