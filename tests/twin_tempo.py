"""Tempo from onsets, slowly: what core/onsets.pyx and core/beat.pyx mean, in plain Python.

Time is cut into frames of 20 ms. Each frame that holds an onset has three strengths, small whole
numbers: how loud, how low, how long. The autocorrelation of each says how well the music fits onto
itself after so many frames; its peaks are the candidates for the beat, and a linear model chooses.
"""

from __future__ import annotations

import cmath
import math
from collections import Counter
from dataclasses import dataclass
from operator import mul

RATE = 50  # frames a second
PHASE = 0.37123456789  # of a frame: no onset of a file on any grid lies on the edge between two frames, give or take rounding
MOST_FRAMES = 32_768  # looked at, from the first onset on: 10.9 minutes
WORD = 64  # frames; the stretch begins at a multiple of it
STRETCH = 4096  # frames: the 82 seconds with the most onset frames
MOST_ONSETS = 1024  # frames with onsets that are used of it
FEWEST_ONSETS = 6
LAGS = 208  # frames: 4.16 s
SHORTEST, LONGEST = 10, 104  # frames a beat: 300 to 29 BPM
CANDIDATES = 12
BACKBEAT = frozenset((35, 36, 37, 38, 39, 40))  # General MIDI bass and snare drums, sticks and claps
RATIOS = (1, 1 / 2, 1 / 3, 1 / 4, 2, 3, 4, 3 / 2, 2 / 3)  # of the period, at which each autocorrelation is looked at
# The prior over tempo and density, then each autocorrelation at each ratio.
WEIGHTS = (
    *(0.122, -1.561, 0.006, 0.1, -0.1, 0.156, -1.757, 0.06),
    *(10.55, 0.926, -0.685, 4.928, -2.891, 1.228, -1.995, -1.27, -0.595),  # loud
    *(1.749, 1.042, 0.675, -0.513, 1.827, -1.27, 2.423, 0.332, -0.22),  # low
    *(12.267, 2.537, 0.994, -1.022, 2.186, 0.422, -0.278, -0.258, -0.013),  # long
)

METERS = ("4/4", "3/4", "6/8", "2/4")
MULTIPLES = (1 / 3, 1 / 2, 2 / 3, 1, 3 / 2, 2, 3, 4, 6)  # of the beat
PULSES = (2, 3, 4, 6, 8, 9, 12, 16)
# fmt: off
METER_WEIGHTS = (
    (  # 4/4
        0.49,
        2.75, -0.3, 7.23,  # octaves below 120 BPM; onset frames a beat, in octaves; drums
        -6.37, -6.52, -6.43, 0.8, 2.68, -12.12, 6.15, -5.53, 2.72,  # loud, at MULTIPLES of the beat
        1.73, 0.19, 1.83, 0.56, 0.14, 0.61, -0.07, 1, -1.03,  # low
        9.94, 9.2, 3.75, 4.14, -4.5, 7.74, -6.42, 9.2, 0.38,  # long
        1.11,  # the pulse, in octaves above 0.24 s
        -9.77, 8.69, 5.55, 6.37, -2.93, -2.23, -0.42, 0.17,  # loud, at PULSES
        -0.02, -0.09, -0.4, -0.54, 0.23, -0.65, -0.21, -1.1,  # low
        1.85, -11.29, -0.83, -3.17, 4.65, -1.54, -2.99, 1.65,  # long
    ),
    (  # 3/4
        1.58,
        0.89, -0.63, 1.99,
        3.22, -2.29, 2.27, 12.3, -3.86, 5.48, -5.75, 4.58, -4.26,
        -1.33, 0.38, 2.22, 0.44, -1.19, 0.07, 2.57, -3.25, 4.96,
        -2.81, -3.7, -1.64, -9.11, 6.22, -10.81, 6.88, -4.4, 1.33,
        0.03,
        4.77, -2.52, -4.36, 2.83, 3.29, -8.75, 2.8, 0.46,
        0.06, 0.03, 0.25, 0.34, 0.2, 0.15, -1.72, 2.1,
        -3.89, 3.39, -4.42, 12.31, -2.06, -10.59, 6.09, 0.19,
    ),
    (  # 6/8
        -0.05,
        -6.08, 0.11, -5.76,
        1.54, 4.49, 0.86, -7.35, 1.65, 10.79, -1.69, -1.14, -2.81,
        1.43, -0.89, -3.01, -0.25, -0.56, 0.2, -1.59, 1.09, -1.45,
        -5.79, -4.68, -1.67, -7.82, -1.37, 8.27, -0.3, -5.37, -3.02,
        -0.34,
        20.98, -9.43, -3.79, -5.7, -3.19, 10.8, 0.47, 1.24,
        0.3, 0.89, 0.06, 1.23, -1.39, 0.63, 0.83, -1.7,
        -11.61, 14.42, 2.36, -7.2, -7.27, 13.03, 0.07, 0.05,
    ),
    (  # 2/4
        -2.02,
        2.44, 0.82, -3.47,
        1.62, 4.32, 3.3, -5.76, -0.47, -4.16, 1.29, 2.09, 4.35,
        -1.83, 0.32, -1.05, -0.75, 1.61, -0.88, -0.91, 1.16, -2.49,
        -1.34, -0.82, -0.43, 12.79, -0.36, -5.2, -0.15, 0.57, 1.3,
        -0.8,
        -15.98, 3.26, 2.6, -3.5, 2.83, 0.19, -2.85, -1.86,
        -0.33, -0.83, 0.08, -1.02, 0.96, -0.13, 1.1, 0.71,
        13.65, -6.52, 2.89, -1.93, 4.68, -0.9, -3.17, -1.89,
    ),
)
# fmt: on


@dataclass(frozen=True)
class Onset:
    seconds: float
    quarter: float | None  # quarters from the beginning, by the file's own division
    length: float  # seconds, at the tempo of its onset
    pitch: int
    velocity: int
    drum: bool


def frame_of(seconds: float, rate: float = RATE) -> int:
    return math.floor(seconds * rate + PHASE)


def median(pitches: list[int]) -> int:
    """The lowest pitch with at least half of the notes at or below it."""
    return sorted(pitches)[(len(pitches) - 1) // 2] if pitches else 0


def densest_stretch(frames: set[int]) -> int:
    """The first frame of the stretch with the most onset frames, the first of several."""
    words = Counter(frame // WORD for frame in frames)
    last = max(words) - STRETCH // WORD + 1
    return max(range(max(last, 0) + 1), key=lambda start: sum(words[w] for w in range(start, start + STRETCH // WORD))) * WORD


def used_frames(onsets: list[Onset]) -> dict[int, list[Onset]]:
    """The notes by frame, of the frames that are used."""
    first = min(frame_of(o.seconds) for o in onsets)
    frames = {frame_of(o.seconds) - first for o in onsets}
    frames = {frame for frame in frames if frame < MOST_FRAMES}
    start = densest_stretch(frames)
    used = {f: [] for f in sorted(f for f in frames if start <= f < start + STRETCH)[:MOST_ONSETS]}
    for o in onsets:
        used.get(frame_of(o.seconds) - first, []).append(o)
    return used


def strengths(used: dict[int, list[Onset]], middle: int) -> dict[int, tuple[int, int, int]]:
    """Loud, low and long by frame; `middle` is the median pitch."""
    sums = {}
    for frame, notes in used.items():
        loud = [(o.velocity + 7) // 8 for o in notes]
        low = [(2 if o.pitch in BACKBEAT else 0) if o.drum else int(o.pitch < middle - 7) for o in notes]
        long = [8 if o.drum else min(frame_of(o.length, 32), 64) for o in notes]
        sums[frame] = sum(loud), sum(map(mul, loud, low)), sum(long)
    return {f: (min(-(-a // 8), 4), min(-(-b // 8), 4), min(-(-c // 16), 7)) for f, (a, b, c) in sums.items()}


def autocorrelation(strength: dict[int, int]) -> list[int]:
    """How well the strengths fit onto themselves, by lag; smoothed twice by 1 2 1."""
    sums = [0] * LAGS
    items = [(frame, s) for frame, s in strength.items() if s]
    for i, (frame, s) in enumerate(items):
        for j in range(i, len(items)):
            lag = items[j][0] - frame
            if lag >= LAGS:
                break
            sums[lag] += s * items[j][1]
    for _ in range(2):
        sums = [0, *(sums[i - 1] + 2 * sums[i] + sums[i + 1] for i in range(1, LAGS - 1)), 0]
    return sums


def peaks(sums: list[int]) -> list[int]:
    """The lags of the highest peaks, the highest first, the shorter lag first among equals."""
    found = [p for p in range(SHORTEST, LONGEST + 1) if sums[p - 1] <= sums[p] > sums[p + 1]]
    return sorted(found, key=lambda p: (-sums[p], p))[:CANDIDATES]


def refined(sums: list[int], peak: int) -> float:
    """The period in fractions of a frame: parabolas through the peaks at 1, 2, 4 ... periods."""
    period, times = float(peak), 1
    while (at := math.floor(period * times + 0.5)) + 3 < LAGS:
        if times > 1:
            at = max((at - 1, at, at + 1), key=lambda lag: sums[lag])
        before, here, after = sums[at - 1 : at + 2]
        if before <= here >= after and 2 * here > sums[peak] and (bend := before - 2 * here + after) < 0:
            period = (at + 0.5 * (before - after) / bend) / times
        times *= 2
    return period


def level(sums: list[int], mean: float, lag: float) -> float:
    """0 to 1, half at the mean: the highest value near a lag, over itself and the mean."""
    at = int(lag)
    if at + 3 > LAGS or mean == 0:
        return 0.0
    highest = max(sums[at : at + 2] if lag < 60 else sums[at - 1 : at + 3])
    return highest / (highest + mean)


def mean_level(sums: list[int]) -> float:
    return sum(sums[6:LAGS]) / (LAGS - 6)


def candidates(onsets: list[Onset], middle: int, drums: float) -> tuple[list[tuple[float, list[float]]], list[list[int]], float]:
    """(period in frames, features) of each candidate for the beat, the autocorrelations and the density; no candidate
    with too few onsets. `drums` is their share."""
    if not onsets:
        return [], [], 0.0
    by_frame = strengths(used_frames(onsets), middle)
    if len(by_frame) < FEWEST_ONSETS:
        return [], [], 0.0
    sums = [autocorrelation({f: s[i] for f, s in by_frame.items()}) for i in range(3)]
    means = [mean_level(s) for s in sums]
    frames = list(by_frame)
    density = math.log2(len(frames) / max(frames[-1] - frames[0], 25))  # onset frames a frame
    found = []
    for peak in peaks(sums[0]):
        period = refined(sums[0], peak)
        slow = math.log2(period / 25)  # octaves below 120 BPM
        events = density + math.log2(period)  # onset frames a beat, in octaves
        features = [slow, slow**2, slow**3, events, events**2, drums * slow, drums * slow**2, drums * events]
        features += [level(s, mean, period * ratio) for s, mean in zip(sums, means, strict=True) for ratio in RATIOS]
        found.append((period, features))
    return found, sums, density


def shortest_pulse(sums: list[int]) -> int:
    """The shortest lag of a peak three tenths as high as the highest."""
    found = [p for p in range(5, LONGEST + 1) if sums[p - 1] <= sums[p] > sums[p + 1]]
    return next(p for p in found if 10 * sums[p] > 3 * max(sums[q] for q in found))


def likeliest(scores: list[float]) -> tuple[int, float]:
    """The first of the highest scores, and its share of the exponentials of all."""
    best = scores.index(max(scores))
    return best, 1 / sum(math.exp(score - scores[best]) for score in scores)


def meter_features(sums: list[list[int]], period: float, density: float, drums: float) -> list[float]:
    pulse = refined(sums[0], shortest_pulse(sums[0]))
    means = [mean_level(s) for s in sums]
    features = [1, math.log2(period / 25), density + math.log2(period), drums]
    features += [level(s, mean, period * n) for s, mean in zip(sums, means, strict=True) for n in MULTIPLES]
    features += [math.log2(pulse / 12)]
    features += [level(s, mean, pulse * n) for s, mean in zip(sums, means, strict=True) for n in PULSES]
    return features


def estimate(onsets: list[Onset], middle: int, drums: float) -> dict[str, object]:
    """Beats a minute, the meter, and the confidence in each."""
    found, sums, density = candidates(onsets, middle, drums)
    if not found:
        return {}
    best, confidence = likeliest([sum(map(mul, WEIGHTS, features)) for _, features in found])
    period = found[best][0]
    features = meter_features(sums, period, density, drums)
    meter, meter_confidence = likeliest([sum(map(mul, weights, features)) for weights in METER_WEIGHTS])
    return {
        "bpm_onsets": 60 * RATE / period,
        "bpm_onsets_confidence": confidence,
        "meter_estimated": METERS[meter],
        "meter_confidence": meter_confidence,
    }


def nearest(position: int) -> int:
    """How far a position is from the nearest sixteenth or eighth triplet."""
    return min(abs(position - line) for line in (0, 48, 64, 96, 128, 144, 192))


def grid_facts(onsets: list[Onset]) -> dict[str, object]:
    """How the notes lie in the quarters that the file declares."""
    used = used_frames(onsets) if onsets else {}
    if len(used) < FEWEST_ONSETS:
        return {}
    at = sorted(math.floor(o.quarter * 192 + 0.49876543211) % 192 for notes in used.values() for o in notes)

    def attraction(parts: int) -> float:
        return abs(sum(cmath.exp(2j * math.pi * parts * x / 192) for x in at)) / len(at)

    def within(first: int, last: int) -> int:
        return sum(first <= x <= last for x in at)

    late = [x for x in at if 104 <= x <= 138]
    swung = 10 * len(late) >= len(at) and len(late) > 2 * within(88, 103) and len(late) > 3 * within(54, 76)
    swung = swung and len(late) <= within(0, 8) + within(184, 191)
    median = late[(len(late) - 1) // 2] if swung else 0
    return {
        "grid_deviation": sorted(map(nearest, at))[(len(at) - 1) // 2] / 192,
        "is_performance": max(attraction(12), attraction(24)) < 0.5,
        "swing": median / (192 - median) if swung else None,
        "map_refuted": len(at) >= 32 and max(map(attraction, (2, 3, 4, 6))) < 0.15,
    }
