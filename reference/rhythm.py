"""Tempo from onsets, slowly: what core/rhythm/onsets.pyx and core/rhythm/beat.pyx mean, in plain Python.

Time is cut into frames of 20 ms. Each frame that holds an onset has three strengths, small whole
numbers: how loud, how low, how long. The autocorrelation of each says how well the music fits onto
itself after so many frames; its peaks are the candidates for the beat, and a small network chooses.
"""

from __future__ import annotations

import bisect
import cmath
import math
from collections import defaultdict
from dataclasses import dataclass
from operator import mul

from midiopt.core.rhythm import beat_weights, meter_accents_weights

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
TIMES = (1, 2, 3, 4, 6, 8, 12, 16)  # the frequency of four periods, at which waves are laid over it
FADED = 104  # lags that they are laid over
FADE = (1, *(1 + math.cos(math.pi * lag / FADED) for lag in range(1, FADED)))

METERS = ("4/4", "3/4", "6/8", "2/4")
MULTIPLES = (1 / 3, 1 / 2, 2 / 3, 1, 3 / 2, 2, 3, 4, 6)  # of the beat
PULSES = (2, 3, 4, 6, 8, 9, 12, 16)


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


def sharpened(sums: list[int], period: float) -> float:
    """The period from what is not averaged, where music keeps its tempo: where twice the highest lag near it is nearly as high."""
    reach = max(1, 0.02 * period)
    highest = max(range(math.ceil(period - reach), int(period + reach) + 1), key=lambda lag: sums[lag])
    found = refined(sums, highest)
    twice = int(2 * found + 0.5)
    steady = twice + 3 < LAGS and 5 * max(sums[twice - 1 : twice + 2]) > 4 * sums[highest]
    return found if steady and abs(found - period) <= 0.02 * period else period


def level(sums: list[int], mean: float, lag: float) -> float:
    """0 to 1, half at the mean: the highest value near a lag, over itself and the mean."""
    at = int(lag)
    if at + 3 > LAGS or mean == 0:
        return 0.0
    highest = max(sums[at : at + 2] if lag < 60 else sums[at - 1 : at + 3])
    return highest / (highest + mean)


def mean_level(sums: list[int]) -> float:
    return sum(sums[6:LAGS]) / (LAGS - 6)


def near(curve: list[float], lag: float) -> float:
    """The highest value within a hundredth of the lag, and within half a frame; 0 beyond the last."""
    reach = max(0.5, lag * 0.01)
    last = int(lag + reach + 0.5)
    return max(curve[int(lag - reach + 0.5) : last + 1]) if last < END else 0.0


def waves(faded: list[float], period: float) -> list[float]:
    """Fourier coefficients of a faded autocorrelation."""
    return [sum(value * math.cos(math.pi / 2 * times * lag / period) for lag, value in enumerate(faded)) for times in TIMES]


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
    both, sharp = (
        [max(int(2**20 * (a * share(1, excess[0][0]) + b * share(1, excess[2][0]))), 0) for a, b in zip(e[0], e[2], strict=True)]
        for e in (wide, excess)
    )
    faded = [[share(value, e[0]) * fade for value, fade in zip(e, FADE, strict=False)] for e in excess]
    density = math.log2(len(strong) / max(max(strong), 25))  # onset frames a frame
    found = []
    for peak in peaks(both):
        period = refined(both, peak)
        slow = math.log2(period / 25)  # octaves below 120 BPM
        events = density + slow + math.log2(25)  # onset frames a beat, in octaves
        features = [slow, slow**2, slow**3, events**2, drums * slow, drums * slow**2, density, drums]
        features += [share(near(e, period * r), top) for e, top in zip(wide, highest, strict=True) for r in RATIOS]
        features += [height for e in faded for height in waves(e, period)] + [1]
        found.append((sharpened(sharp, period), features))
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


def score(features: list[float]) -> float:
    """What speaks for a candidate: sums of its features, bent towards -1 and 1, and weighed again."""
    sums = [sum(map(mul, features, weights)) for weights in zip(*beat_weights.WEIGHTS, strict=True)]
    return sum(map(mul, beat_weights.OUT, map(bent, sums)))


def bent(x: float) -> float:
    x = min(max(x, -3), 3)
    return x * (27 + x**2) / (27 + 9 * x**2)


def estimate(onsets: list[Onset], middle: int, drums: float) -> dict[str, object]:
    """Beats a minute, the meter, and the confidence in each."""
    found, sums, density = candidates(onsets, middle, drums)
    if not found:
        return {}
    best, confidence = likeliest([score(features) for _, features in found], beat_weights.NOTHING)
    period = found[best][0]
    features = meter_features(sums, period, density, drums)
    meter, meter_confidence = likeliest([sum(map(mul, weights, features)) for weights in meter_accents_weights.WEIGHTS])
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
