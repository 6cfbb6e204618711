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
        2.32, 2.34,  # drums
        -1.1, -0.3, 0.85, -0.38, 8.07, 0.5, 1.04, -0.94, 1.64, -2.1, 1.21,  # the steps of STEPS
        0.03, -0.06, -0.22, 0.22, 0.44, 0.05, -0.33, -0.41, -0.34,  # the beginning, at PERIODS
        0.15, -0.24, 0.08, -0.25, 0.55, 0.08, -0.1, -0.32, -0.07,  # the end
        -2.41, 0.3, 0.09, -1.64, 1.62, -1.34, 0.77, 0.14, 2.79, -1.83, 1, -1.08, -1.15, 1.6, 1.2, 0.89,  # the long notes, at LAGS
        0.36, 0.92, 0.23, -0.05, -0.01, -1.38, 1.82, -0.49, -0.03, -1.02, 0.73, -1.01, 0.63, -0.53, 0.97, -0.03,  # the low notes
        -2.65, 1.41, 2.06, 2.35, 2.1, -1.6, 3.65, -2.16, -0.12, -3.52, 2.7, -2.75, -1.53, -1.23, 1.51, -0.89,  # the notes on top
    ),
    (  # 3/4
        -1, 0.2,
        0.11, -0.61, 0.61, -0.28, -0.82, 3.78, 1.7, -4.5, 1.46, 3.84, -0.41,
        0.57, -0.18, 0.05, -0.29, -0.15, -0.09, 0.1, 0.14, 0.01,
        0.51, -0.1, -0.16, 0.17, -0.02, -0.12, -0.11, -0.11, 0.33,
        0.36, -1.65, 1.27, -1.81, -0.96, 2.16, -0.62, -2.01, 0.93, 1.44, -1.46, 1.32, 1.95, -1.66, -1.11, 0.08,
        0.13, -0.22, 0.63, -0.84, 0.54, 1.13, -0.58, 0.03, 0.91, 0.86, -0.38, 0.36, -0.05, -0.5, -0.5, 0.22,
        0.63, -3.31, -0.1, -2.07, 0.77, 2.16, -2.68, -1.23, 3.47, 3.64, -2.81, -0.47, 2.27, -3.6, -2.56, 0.16,
    ),
    (  # 6/8
        0.14, -0.57,
        0.46, -0.07, 0.12, 1.65, -2.11, -7.19, -2.8, 4.54, -3.96, 1.42, 1.03,
        -0.6, 0.14, 0.06, 0.47, -0.05, -0.12, -0.07, 0.05, 0.16,
        -0.04, 0.26, -0.26, 0.4, -0.51, -0.17, 0.09, -0.14, 0.23,
        1.19, -4.2, -1.03, 1.84, -1.42, 1.27, -1.32, 1.03, -1.88, 1.15, -1.51, -0.67, 1.8, 2.43, -1.62, 0.04,
        0.26, 0.34, -0.77, 0.88, -1.21, 0.13, -0.94, 0.15, -1.1, 0.31, -1.1, 0.09, 0.58, 1.29, -0.91, 0.11,
        0.25, -3.4, 0.91, -0.42, -3.11, 3.64, -2.11, 1.31, -0.26, 3.85, -2.03, 0.36, 3.77, 2.59, -1.85, -1.95,
    ),
    (  # 2/4
        -0.92, -1.62,
        2.62, 2.18, -0.91, -0.84, -4.61, 3.79, 0.29, -1.66, 1.37, -1.31, -2.32,
        0.01, -0.06, 0.16, -0.37, -0.48, -0.07, 0.24, 0.35, 0.47,
        -0.33, 0.03, 0.19, -0.26, -0.04, 0.17, 0.27, 0.39, -0.48,
        0.82, 3.51, 0.1, 0, 1.51, -1.63, 1.55, -0.72, -1.44, 0.27, 2.34, -0.82, -1.63, -4.13, 1.8, -1.92,
        -0.65, -1.11, 0.13, -0.74, 1.06, 0.43, 0.05, -1.03, 0.84, 0.26, 1.11, -0.25, -0.71, -1.49, 1.08, -0.26,
        2.38, 2.58, -1.8, -1.77, 1.65, -2.2, 3.16, -4.01, 1.03, -1.75, 3.67, -0.81, -2.26, -3.82, 4.24, -1.64,
    ),
    (  # 9/8
        -0.55, -0.35,
        -2.09, -1.2, -0.68, -0.14, -0.54, -0.86, -0.23, 2.55, -0.51, -1.85, 0.49,
        -0.02, 0.16, -0.05, -0.04, 0.25, 0.22, 0.06, -0.13, -0.3,
        -0.29, 0.05, 0.15, -0.07, 0.02, 0.05, -0.15, 0.19, 0,
        0.03, 2.04, -0.44, 1.61, -0.74, -0.46, -0.38, 1.56, -0.4, -1.03, -0.36, 1.26, -0.96, 1.76, -0.26, 0.91,
        -0.1, 0.07, -0.22, 0.75, -0.38, -0.32, -0.35, 1.34, -0.62, -0.42, -0.36, 0.81, -0.45, 1.22, -0.64, -0.04,
        -0.61, 2.73, -1.07, 1.91, -1.4, -1.99, -2.02, 6.09, -4.12, -2.22, -1.54, 3.66, -2.26, 6.06, -1.33, 4.31,
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
