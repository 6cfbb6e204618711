"""The meter of notes that keep to the quarters of their file, slowly: what core/rhythm/meter_quantized.pyx means, in plain Python.

Time is cut into slots of 1/12 quarter, which hold sixteenths and triplets. What bars the music has shows in what it fits
onto itself after so many slots, and in where in a bar it begins and ends. A linear model weighs it.
"""

from __future__ import annotations

import math
from itertools import pairwise
from operator import mul

from midiopt.core.rhythm import meter_quantized_weights
from reference.rhythm import BACKBEAT, likeliest
from reference.rhythm import METERS as BY_ACCENTS

METERS = (*BY_ACCENTS, "9/8")
SLOTS = 12  # a quarter
MOST_SLOTS = 2048  # looked at, from the first onset on: 42 bars of 4/4
FEWEST_SLOTS = 6  # with onsets
LONGEST = 48  # slots between two onsets
HALF = 0.49876543211  # of a slot: no note lies on the edge between two, give or take rounding
PERIODS = (12, 18, 24, 36, 48, 54, 72, 108, 144)
LAGS = (6, 9, 12, 18, 24, 36, 48, 54, 60, 72, 96, 108, 144, 162, 192, 216)
STEPS = (2, 3, 4, 6, 8, 9, 12, 18, 24, 36, 48)  # slots from one onset to the next


def slot_of(tick: int, quarter: float) -> int:
    return math.floor(tick * (SLOTS / quarter) + HALF)


def features(notes: list, middle: int, drums: float, quarter: float) -> list[float]:
    """Empty with too few onsets. `middle` is the median pitch, `drums` their share among the notes."""
    first = min(slot_of(n.onset, quarter) for n in notes)
    end = slot_of(max(n.end for n in notes), quarter)
    here = [(at, n) for n in notes if (at := slot_of(n.onset, quarter) - first) < MOST_SLOTS]
    slots = sorted({at for at, _ in here})
    if len(slots) < FEWEST_SLOTS:
        return []
    steps = [min(after - at, LONGEST) for at, after in pairwise([*slots, slots[-1] + SLOTS])]
    long = {at for at, step in zip(slots, steps, strict=True) if 2 * step * len(slots) >= 3 * sum(steps)}
    low = {at for at, n in here if (n.pitch < middle - 7 if n.pitched else n.pitch in BACKBEAT)}
    tops: dict[int, list[int]] = {at: [-1, -1] for at in slots}  # the highest pitch and the highest drum
    for at, n in here:
        tops[at][not n.pitched] = max(tops[at][not n.pitched], n.pitch)
    found = [1.0, drums]
    found += [steps.count(step) / len(slots) for step in STEPS]
    found += [math.cos(2 * math.pi * first / period) for period in PERIODS]
    found += [math.cos(2 * math.pi * end / period) for period in PERIODS]
    for marks in (long, low):
        found += [sum(at + lag in marks for at in marks) / max(len(marks), 1) for lag in LAGS]
    found += [sum(tops.get(at + lag) == top for at, top in tops.items()) / len(slots) for lag in LAGS]
    return found


def estimate(notes: list, middle: int, drums: float, quarter: float) -> dict[str, object]:
    """The meter and the confidence in it; nothing with too few onsets."""
    found = features(notes, middle, drums, quarter)
    if not found:
        return {}
    meter, confidence = likeliest([sum(map(mul, weights, found)) for weights in meter_quantized_weights.WEIGHTS])
    return {"meter_estimated": METERS[meter], "meter_confidence": confidence}
