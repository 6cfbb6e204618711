"""How onsets lie on the quarters that the file declares: grid_deviation, is_performance and swing."""

from __future__ import annotations

import cmath
import math

from reference.beat import MIN_ONSET_FRAMES, Onset, onsets_by_frame
from reference.sequence import Facts

POSITIONS = 192  # positions per quarter
POSITION_OFFSET = 0.49876543211  # positions: keeps onsets off the edge between two, where rounding would decide
GRID = (0, 48, 64, 96, 128, 144, 192)  # sixteenths and eighth triplets
MIN_NOTES_TO_IGNORE_TEMPO_MAP = 32
MAX_CHANCE_STATISTIC = 0.15  # what notes that ignore the tempo map reach
MIN_QUANTIZED_STATISTIC = 0.5  # what quantized notes reach


def distance_to_grid(position: int) -> int:
    """From the nearest sixteenth or eighth triplet."""
    return min(abs(position - line) for line in GRID)


def rayleigh_statistic(positions: list[int], parts: int) -> float:
    """How strongly a quarter cut into equal parts attracts the positions: 1 on such a grid, wherever it stands.

    The length of the mean of exp(2 pi i parts x) (K. Mardia and P. Jupp, "Directional Statistics", 2000).
    """
    return abs(sum(cmath.exp(2j * math.pi * parts * x / POSITIONS) for x in positions)) / len(positions)


def swing_ratio(positions: list[int]) -> float | None:
    """Length of the first eighth over the second, None unless off-beat eighths come late.

    The late ones must be a tenth of all notes, clearly outnumber straight eighths and second triplets, and not outnumber
    notes on the beat. The result is that of their (lower) median.
    """

    def count(first: int, last: int) -> int:
        return sum(first <= x <= last for x in positions)

    late = [x for x in positions if 104 <= x <= 138]
    if 10 * len(late) < len(positions) or len(late) <= 2 * count(88, 103) or len(late) <= 3 * count(54, 76):
        return None
    if len(late) > count(0, 8) + count(184, 191):
        return None
    median = late[(len(late) - 1) // 2]
    return median / (POSITIONS - median)


def quantization_facts(onsets: list[Onset]) -> Facts:
    """The columns, and `tempo_map_ignored`: no division of the declared quarter attracts the onsets. Empty with too few onsets."""
    frames = onsets_by_frame(onsets) if onsets else {}
    if len(frames) < MIN_ONSET_FRAMES:
        return {}
    positions = sorted(math.floor(o.quarter * POSITIONS + POSITION_OFFSET) % POSITIONS for in_frame in frames.values() for o in in_frame)
    statistic = {parts: rayleigh_statistic(positions, parts) for parts in (2, 3, 4, 6, 12, 24)}
    return {
        "grid_deviation": sorted(map(distance_to_grid, positions))[(len(positions) - 1) // 2] / POSITIONS,
        "is_performance": max(statistic[12], statistic[24]) < MIN_QUANTIZED_STATISTIC,
        "swing": swing_ratio(positions),
        "tempo_map_ignored": len(positions) >= MIN_NOTES_TO_IGNORE_TEMPO_MAP
        and max(statistic[parts] for parts in (2, 3, 4, 6)) < MAX_CHANCE_STATISTIC,
    }
