"""The meter of notes that keep to the quarters of their file, slowly: what core/barlines.pyx means, in plain Python.

Time is cut into slots of 1/12 quarter, which hold sixteenths and triplets. What bars the music has shows in what it fits
onto itself after so many slots, and in where in a bar it begins and ends. A linear model weighs it.
"""

from __future__ import annotations

import math
from itertools import pairwise
from operator import mul

from twin_tempo import BACKBEAT, likeliest
from twin_tempo import METERS as BY_ACCENTS

METERS = (*BY_ACCENTS, "9/8")
SLOTS = 12  # a quarter
MOST_SLOTS = 2048  # looked at, from the first onset on: 42 bars of 4/4
FEWEST_SLOTS = 6  # with onsets
LONGEST = 48  # slots between two onsets
HALF = 0.49876543211  # of a slot: no note lies on the edge between two, give or take rounding
PERIODS = (12, 18, 24, 36, 48, 54, 72, 108, 144)
LAGS = (6, 9, 12, 18, 24, 36, 48, 54, 60, 72, 96, 108, 144, 162, 192, 216)
STEPS = (2, 3, 4, 6, 8, 9, 12, 18, 24, 36, 48)  # slots from one onset to the next
# In the order of METERS, 1 first.
# fmt: off
WEIGHTS = (
    (  # 4/4
        2.17, 2.32,  # drums
        -1.1, -0.46, 1.36, -0.48, 7.86, -0.34, 1.12, -0.91, 1.44, -2.44, 1.62,  # the steps of STEPS
        0.06, -0.2, -0.19, 0.43, 0.54, 0.02, -0.35, -0.44, -0.39,  # the beginning, at PERIODS
        0.18, -0.2, 0.08, -0.23, 0.53, 0.07, -0.11, -0.33, -0.09,  # the end
        -2.18, -0.2, -0.1, -1.69, 1.53, -1.48, 0.87, 0.22, 2.9, -1.68, 1.08, -0.86, -1.29, 1.58, 1.21, 0.87,  # the long notes, at LAGS
        0.48, 1.17, 0.4, -0.04, 0.07, -1.46, 1.79, -0.49, -0.12, -1.22, 0.72, -1.06, 0.62, -0.5, 1.01, -0.04,  # the low notes
        -2.92, 1.86, 1.95, 2.45, 1.85, -1.51, 3.53, -1.85, 0.35, -3.18, 2.5, -3.08, -1.62, -1.54, 1.51, -0.26,  # the notes on top
    ),
    (  # 3/4
        -1.08, 0.12,
        0.22, -0.3, 0.73, -0.23, 0.34, 3.17, 1.74, -4.4, 1.66, 4.16, -1.57,
        0.55, -0.1, 0.03, -0.32, -0.2, 0.01, 0.06, 0.2, 0.07,
        0.49, -0.08, -0.16, 0.11, -0.02, -0.15, -0.14, -0.07, 0.33,
        0.47, -1.68, 1.2, -1.76, -1.01, 1.98, -0.62, -1.75, 0.69, 1.54, -1.45, 1.17, 2.01, -2.11, -1.03, 0.13,
        0.04, -0.19, 0.63, -0.91, 0.48, 1.21, -0.56, 0.01, 1.06, 0.95, -0.45, 0.35, -0.1, -0.6, -0.64, 0.12,
        0.66, -3.92, 0.09, -2.56, 0.84, 1.89, -2.5, -1.08, 3.21, 3.29, -2.47, -0.17, 2.3, -2.11, -2.58, -0.48,
    ),
    (  # 6/8
        0.19, -0.57,
        0.44, -0.24, 0.21, 1.7, -2.07, -5.42, -2.87, 4.53, -3.85, 1.43, 1.21,
        -0.6, 0.16, 0.04, 0.4, -0.07, -0.12, -0.05, 0.07, 0.19,
        -0.06, 0.23, -0.21, 0.48, -0.52, -0.17, 0.1, -0.16, 0.18,
        1.11, -3.64, -0.98, 1.98, -1.47, 1.33, -1.33, 0.93, -1.67, 1.15, -1.49, -0.73, 1.78, 2.68, -1.7, -0.06,
        0.25, 0.12, -0.77, 0.8, -1.14, 0.15, -0.87, 0.18, -1.12, 0.33, -1.07, 0.1, 0.65, 1.23, -0.83, 0.04,
        0.2, -3.34, 0.72, -0.14, -3.24, 3.63, -2.04, 1.47, -0.6, 3.67, -2.09, 0.27, 3.73, 2.44, -1.8, -1.85,
    ),
    (  # 2/4
        -0.77, -1.53,
        2.57, 2.27, -1.64, -0.87, -5.55, 3.31, 0.24, -1.77, 1.27, -1.32, -1.96,
        0, -0.04, 0.17, -0.43, -0.49, -0.12, 0.29, 0.31, 0.42,
        -0.32, 0, 0.13, -0.32, -0.02, 0.19, 0.28, 0.38, -0.41,
        0.58, 4.23, 0.34, -0.09, 1.73, -1.41, 1.44, -1.01, -1.55, 0.01, 2.24, -0.85, -1.54, -3.96, 1.78, -1.89,
        -0.7, -1.18, -0.05, -0.63, 0.95, 0.42, -0.02, -1.06, 0.82, 0.34, 1.14, -0.19, -0.75, -1.39, 1.06, -0.11,
        2.69, 2.69, -1.68, -1.8, 1.94, -2.06, 2.92, -4.31, 1.03, -1.57, 3.56, -0.54, -2.16, -4.33, 4.16, -1.63,
    ),
    (  # 9/8
        -0.5, -0.34,
        -2.14, -1.27, -0.65, -0.13, -0.58, -0.72, -0.23, 2.55, -0.53, -1.83, 0.7,
        -0.01, 0.17, -0.05, -0.07, 0.23, 0.21, 0.05, -0.14, -0.3,
        -0.3, 0.05, 0.17, -0.04, 0.04, 0.06, -0.13, 0.17, -0.01,
        0.02, 1.29, -0.45, 1.57, -0.78, -0.42, -0.37, 1.62, -0.37, -1.02, -0.38, 1.27, -0.97, 1.81, -0.26, 0.95,
        -0.07, 0.07, -0.22, 0.79, -0.36, -0.32, -0.33, 1.36, -0.63, -0.4, -0.34, 0.79, -0.41, 1.26, -0.6, -0.02,
        -0.62, 2.71, -1.08, 2.05, -1.4, -1.95, -1.91, 5.77, -3.98, -2.21, -1.51, 3.53, -2.24, 5.53, -1.29, 4.22,
    ),
)
# fmt: on


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
    meter, confidence = likeliest([sum(map(mul, weights, found)) for weights in WEIGHTS])
    return {"meter_estimated": METERS[meter], "meter_confidence": confidence}
