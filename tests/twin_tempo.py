"""Tempo from onsets, slowly: what core/onsets.pyx and core/beat.pyx mean, in plain Python.

Time is cut into frames of 20 ms. Each frame that holds an onset has three strengths, small whole
numbers: how loud, how low, how long. The autocorrelation of each says how well the music fits onto
itself after so many frames; its peaks are the candidates for the beat, and a linear model chooses.
"""

from __future__ import annotations

import bisect
import cmath
import math
from collections import defaultdict
from dataclasses import dataclass
from operator import mul

RATE = 50  # frames a second
PHASE = 0.37123456789  # of a frame: no onset of a file on any grid lies on the edge between two frames, give or take rounding
MOST_FRAMES = 32_768  # looked at, from the first onset on: 10.9 minutes
WORD = 64  # frames: of a long piece only every second, third ... of these is compared with the whole
MOST_ONSETS = 1024  # frames with onsets that are
FEWEST_ONSETS = 6
LAGS = 208  # frames: 4.16 s
END = 199  # the last lag that can be averaged, and one
SHORTEST, LONGEST = 10, 104  # frames a beat: 300 to 29 BPM
LAST = 150  # the highest lag is looked for up to here
CANDIDATES = 9
BACKBEAT = frozenset((35, 36, 37, 38, 39, 40))  # General MIDI bass and snare drums, sticks and claps
RATIOS = (1, 1 / 2, 1 / 3, 1 / 4, 2, 3, 4, 3 / 2, 2 / 3)  # of the period, at which each autocorrelation is looked at
OWN_RATIOS = (1, 1 / 2, 2, 3, 1 / 3)
NOTHING = 1.653  # how likely none of the candidates is the beat
WEIGHTS = (
    *(0.373, -1.377, 0.209, -0.203, 0.315, -1.529),  # the prior over tempo and density
    # each autocorrelation, averaged, at each of RATIOS: what it has above chance, as a share of the highest lag
    *(0.852, -0.719, 0.519, 1.296, 0.797, -2.895, -2.687, -0.495, -0.51),  # loud
    *(0.443, 0.406, 0.328, 0.026, -0.039, 0.218, 0.235, 0.241, -0.509),  # low
    *(1.059, 0.649, -0.242, -0.273, 0.666, 0.473, 1.651, -0.33, 0.164),  # long
    # each at each of OWN_RATIOS, as a share of what it is at lag 0
    *(4.854, 0.304, -7.83, 8.698, -7.996),  # loud
    *(0.835, -2.98, 8.811, -7.925, -0.835),  # low
    *(5.643, 7.573, 2.427, 2.047, 8.664),  # long
)

METERS = ("4/4", "3/4", "6/8", "2/4")
MULTIPLES = (1 / 3, 1 / 2, 2 / 3, 1, 3 / 2, 2, 3, 4, 6)  # of the beat
PULSES = (2, 3, 4, 6, 8, 9, 12, 16)
# fmt: off
METER_WEIGHTS = (
    (  # 4/4
        -1.06,
        -0.48, 0.39, 4.03,  # octaves below 120 BPM; onset frames a beat, in octaves; drums
        -2.15, 0.58, -1.45, 2.59, -2.14, 0.01, 0.73, -0.59, 0.52,  # loud, at MULTIPLES of the beat
        2.89, 0.06, 0.37, 0.5, -0.74, 0.89, -0.86, 0.55, -1.38,  # low
        1.2, 2.45, -0.29, 0.5, -0.51, -0.66, -1, 0.66, -0.28,  # long
        0.47,  # the pulse, in octaves above 0.24 s
        -0.61, -2.13, 2.79, 0.83, -0.62, -0.7, 0.76, -1.83,  # loud, at PULSES
        -0.29, 0.11, -0.45, -0.33, 0.42, -1.08, 0.09, -0.36,  # low
        0.29, -0.77, 1.19, -2.41, 2.39, -0.1, -1.06, 2.97,  # long
    ),
    (  # 3/4
        2.16,
        1.73, -1.23, 0.37,
        2.76, 0.68, 1.34, -0.44, 0.14, -1.26, -2.14, 1.66, -1.27,
        -0.83, 0.43, 0.44, -0.33, 0.49, -1.19, 0.9, -2.28, 1.79,
        -1.78, -2.59, 0.36, -0.72, -0.21, -2.26, 1.89, 1.54, 0.92,
        -0.3,
        2.75, -0.36, -3.08, 2.59, 1.12, -3.12, -0.51, 2.11,
        0.6, -0.19, 1.7, 0.16, -0.6, 1.46, -0.19, 2.33,
        -1.03, 1.37, -3.34, 3.42, -1.98, -2.73, 1.63, -1.61,
    ),
    (  # 6/8
        0.22,
        -1, 0.4, 0.19,
        0.24, -1.34, -0.35, -0.24, 1.63, 0.98, -1.65, 0.15, 0.22,
        1.71, -1.22, -0.81, -0.08, -0.42, 0.11, 0.18, 0.69, -0.27,
        -2.3, -2.66, -1.5, 1.58, 0.25, 1.25, -0.74, -1.98, -0.41,
        0.28,
        -0.29, 1.8, -0.4, -2.63, -0.02, 2.05, -0.47, 2.26,
        0.75, 0.19, -0.2, 0.73, -0.68, 0.04, -0.04, -2.3,
        -0.21, 0.32, 1.49, 0.7, -1.48, 1.78, 1.75, -0.84,
    ),
    (  # 2/4
        -1.32,
        -0.25, 0.45, -4.59,
        -0.85, 0.07, 0.45, -1.92, 0.37, 0.27, 3.07, -1.22, 0.53,
        -3.77, 0.73, 0, -0.09, 0.67, 0.19, -0.21, 1.04, -0.13,
        2.88, 2.8, 1.42, -1.36, 0.47, 1.67, -0.15, -0.22, -0.23,
        -0.45,
        -1.85, 0.69, 0.69, -0.78, -0.48, 1.78, 0.22, -2.53,
        -1.06, -0.12, -1.06, -0.57, 0.87, -0.42, 0.14, 0.33,
        0.95, -0.92, 0.65, -1.72, 1.07, 1.05, -2.32, -0.52,
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


def by_frame(onsets: list[Onset]) -> dict[int, list[Onset]]:
    """The notes of each frame that has any, in order."""
    first = min(frame_of(o.seconds) for o in onsets)
    found = defaultdict(list)
    for o in onsets:
        found[frame_of(o.seconds) - first].append(o)
    return {frame: found[frame] for frame in sorted(found) if frame < MOST_FRAMES}


def strengths(used: dict[int, list[Onset]], middle: int) -> dict[int, tuple[int, int, int]]:
    """Loud, low and long by frame; `middle` is the median pitch."""
    sums = {}
    for frame, notes in used.items():
        loud = [(o.velocity + 7) // 8 for o in notes]
        low = [(2 if o.pitch in BACKBEAT else 0) if o.drum else int(o.pitch < middle - 7) for o in notes]
        long = [8 if o.drum else min(frame_of(o.length, 32), 64) for o in notes]
        sums[frame] = sum(loud), sum(map(mul, loud, low)), sum(long)
    return {f: (min(-(-a // 8), 4), min(-(-b // 8), 4), min(-(-c // 16), 7)) for f, (a, b, c) in sums.items()}


def autocorrelation(strength: dict[int, int]) -> tuple[list[int], list[float], list[float]]:
    """How well the strengths fit onto themselves, by lag, smoothed twice by 1 2 1; what of that is not chance; and the same
    averaged over a twenty-fifth of the lag to both sides, 0 from END on."""
    step = 1 + (len(strength) - 1) // MOST_ONSETS
    used = [frame for frame in strength if frame // WORD % step == 0][:MOST_ONSETS]
    heard = {frame: s for frame, s in strength.items() if s}
    order = sorted(heard)
    sums = [0] * LAGS
    for frame in used:
        if frame in heard:
            for other in order[bisect.bisect_left(order, frame) : bisect.bisect_left(order, frame + LAGS)]:
                sums[other - frame] += heard[frame] * heard[other]
    own = 16 * sums[0]
    for _ in range(2):
        sums = [0, *(sums[i - 1] + 2 * sums[i] + sums[i + 1] for i in range(1, LAGS - 1)), 0]
    sums[0] = own
    frames = max(strength) + 1
    chance = 16.0 * sum(strength[frame] for frame in used) * sum(strength.values()) / frames / frames
    due = [chance * max(frames - lag, 0) for lag in range(LAGS)]
    wide = [0.0] * LAGS
    for lag in range(END):
        reach = math.floor(lag / 25 + 0.5)
        wide[lag] = 1 / (2 * reach + 1) * sum(sums[lag - reach : lag + reach + 1]) - due[lag]
    return sums, [value - by_chance for value, by_chance in zip(sums, due, strict=True)], wide


def peaks(sums: list[int]) -> list[int]:
    """The lags of the highest peaks, the highest first, the shorter lag first among equals."""
    found = [p for p in range(SHORTEST, LONGEST + 1) if sums[p - 1] <= sums[p] > sums[p + 1]]
    return sorted(found, key=lambda p: (-sums[p], p))[:CANDIDATES]


def refined(sums: list[int], peak: int) -> float:
    """The period in fractions of a frame: parabolas through the peaks at 1, 2, 4 ... periods, while these are nearly as
    high."""
    period, times = float(peak), 1
    while (at := math.floor(period * times + 0.5)) + 3 < LAGS:
        if times > 1:
            at = max((at - 1, at, at + 1), key=lambda lag: sums[lag])
        before, here, after = sums[at - 1 : at + 2]
        if before <= here >= after and (bend := before - 2 * here + after) < 0 and 5 * here > 4 * sums[peak]:
            period = (at + 0.5 * (before - after) / bend) / times
        elif times > 1:
            break
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


def near(curve: list[float], lag: float, share: float) -> float:
    """The highest value within a share of the lag, and within half a frame; 0 beyond the last."""
    reach = max(0.5, lag * share)
    last = int(lag + reach + 0.5)
    return max(curve[int(lag - reach + 0.5) : last + 1]) if last < END else 0.0


def share(part: float, of: float) -> float:
    return part / of if of > 0 else 0.0


def candidates(onsets: list[Onset], middle: int, drums: float) -> tuple[list[tuple[float, list[float]]], list[list[int]], float]:
    """(period in frames, features) of each candidate for the beat, the autocorrelations and the density; no candidate
    with too few onsets. `drums` is their share."""
    if not onsets:
        return [], [], 0.0
    strong = strengths(by_frame(onsets), middle)
    if len(strong) < FEWEST_ONSETS:
        return [], [], 0.0
    sums, excess, wide = zip(*(autocorrelation({f: s[i] for f, s in strong.items()}) for i in range(3)), strict=True)
    highest = [max(e[SHORTEST : LAST + 1]) for e in wide]
    both = [max(int(2**20 * (a * share(1, excess[0][0]) + b * share(1, excess[2][0]))), 0) for a, b in zip(wide[0], wide[2], strict=True)]
    density = math.log2(len(strong) / max(max(strong), 25))  # onset frames a frame
    found = []
    for peak in peaks(both):
        period = refined(both, peak)
        slow = math.log2(period / 25)  # octaves below 120 BPM
        events = density + slow + math.log2(25)  # onset frames a beat, in octaves
        features = [slow, slow**2, slow**3, events**2, drums * slow, drums * slow**2]
        features += [share(near(e, period * r, 0.01), top) for e, top in zip(wide, highest, strict=True) for r in RATIOS]
        features += [share(near(e, period * r, 0.025), e[0]) for e in excess for r in OWN_RATIOS]
        found.append((period, features))
    return found, list(sums), density


def shortest_pulse(sums: list[int]) -> int:
    """The shortest lag of a peak three tenths as high as the highest."""
    found = [p for p in range(5, LONGEST + 1) if sums[p - 1] <= sums[p] > sums[p + 1]]
    return next(p for p in found if 10 * sums[p] > 3 * max(sums[q] for q in found))


def likeliest(scores: list[float], *others: float) -> tuple[int, float]:
    """The first of the highest scores, and its share of the exponentials of all, others too."""
    best = scores.index(max(scores))
    return best, 1 / sum(math.exp(score - scores[best]) for score in (*scores, *others))


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
    best, confidence = likeliest([sum(map(mul, WEIGHTS, features)) for _, features in found], NOTHING)
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
    found = by_frame(onsets) if onsets else {}
    if len(found) < FEWEST_ONSETS:
        return {}
    at = sorted(math.floor(o.quarter * 192 + 0.49876543211) % 192 for notes in found.values() for o in notes)

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
