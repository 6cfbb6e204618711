"""Where in the declared quarter the beats lie, from the notes (docs/accuracy-methods.md, "Phase of the quarter")."""

from __future__ import annotations

import math
from operator import mul

from midiopt.core.rhythm import phase_weights
from reference.beat import Onset, frame_of, onsets_by_frame
from reference.quantization import POSITION_OFFSET, POSITIONS

MIN_NOTES = 32
NEAR = 3  # positions
MIN_SHARE = 25  # a candidate has one of so many notes
MEAN_REACH = 4  # positions
MAX_CANDIDATES = 7  # besides the declared quarters
MAX_DRUM_SHARE = 0.5
FLOOR = 0.03
OFFSETS = (0, 96, 48, 144)  # positions: the beat, the eighth and the sixteenths
WEIGHTS = (
    *phase_weights.NOTE_WEIGHTS,
    *phase_weights.LENGTH_WEIGHTS,
    phase_weights.ON_QUARTER,
    phase_weights.ON_EIGHTH,
    phase_weights.ON_SIXTEENTH,
    phase_weights.ON_THIRTY_SECOND,
)


def near(values: list[int], position: int, reach: int = NEAR) -> list[int]:
    """The values within a reach of a position of the quarter."""
    return [values[(position + i) % POSITIONS] for i in range(-reach, reach + 1)]


def mean_position(notes: list[int], position: int) -> int:
    """The mean position, rounded, of the notes within MEAN_REACH."""
    around = near(notes, position, MEAN_REACH)
    count = sum(around)
    total: int = sum(map(mul, around, range(len(around))))
    return (position - MEAN_REACH + (2 * total + count) // (2 * count)) % POSITIONS if count else position


def candidates_of(notes: list[int]) -> list[int]:
    """The middles of the highest peaks off the declared quarters, highest first."""
    sums = [sum(near(notes, i)) for i in range(POSITIONS)]
    peaks = [i for i in range(POSITIONS) if sums[i - 1] <= sums[i] > sums[(i + 1) % POSITIONS] and MIN_SHARE * sums[i] > sum(notes)]
    middles = [mean_position(notes, mean_position(notes, i)) for i in peaks]
    return sorted((m for m in middles if min(m, POSITIONS - m) > MEAN_REACH), key=lambda m: -sums[m])[:MAX_CANDIDATES]


def features_of(notes: list[int], lengths: list[int], position: int) -> list[float]:
    """The features of a candidate: shares of notes and of lengths at OFFSETS, and whether it is on the declared grid."""
    shares = [[sum(near(values, position + o)) / max(sum(values), 1) for o in OFFSETS] for values in (notes, lengths)]
    on_sixteenth = min(position % 48, 48 - position % 48) <= 2
    on_thirty_second = min(position % 24, 24 - position % 24) <= 2
    declared = [
        position == 0,
        position == 96,
        on_sixteenth and position not in (0, 96),
        on_thirty_second and not on_sixteenth,
    ]
    return [*(math.log(share + FLOOR) for of_kind in shares for share in of_kind), *map(float, declared)]


def histograms(onsets: list[Onset]) -> tuple[list[int], list[int]]:
    """Notes, and their lengths in 1/32 seconds, by position in the quarter."""
    notes, lengths = [0] * POSITIONS, [0] * POSITIONS
    for in_frame in onsets_by_frame(onsets).values():
        for o in in_frame:
            position = math.floor(o.quarter * POSITIONS + POSITION_OFFSET) % POSITIONS
            notes[position] += 1
            lengths[position] += 8 if o.drum else min(frame_of(o.length, 32), 64)
    return notes, lengths


def phase_choices(notes: list[int], lengths: list[int], drum_share: float) -> tuple[list[int], list[list[float]]]:
    """The positions that the beats may have and the features of each; that of the declared quarters, 0, comes first."""
    if sum(notes) < MIN_NOTES or drum_share > MAX_DRUM_SHARE or 2 * sum(near(notes, 0)) > sum(notes):
        return [0], [features_of(notes, lengths, 0)]
    positions = [0, *candidates_of(notes)]
    return positions, [features_of(notes, lengths, position) for position in positions]


def quarter_phase(onsets: list[Onset], drum_share: float) -> int:
    """The position of the beats relative to the nearest quarter, in 1/192 quarter, -96 to 95."""
    positions, features = phase_choices(*histograms(onsets), drum_share)
    scores = [sum(map(mul, WEIGHTS, of_candidate)) for of_candidate in features]
    return (positions[scores.index(max(scores))] + POSITIONS // 2) % POSITIONS - POSITIONS // 2
