"""Tempo from onsets, slowly: what core/onsets.pyx and core/beat.pyx mean, in plain Python.

Time is cut into frames of 20 ms. Each frame that holds an onset has three strengths, small whole
numbers: how loud, how low, how long. The autocorrelation of each says how well the music fits onto
itself after so many frames; its peaks are the candidates for the beat, and a linear model chooses.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
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


@dataclass(frozen=True)
class Onset:
    seconds: float
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


def strengths(onsets: list[Onset], middle: int) -> dict[int, tuple[int, int, int]]:
    """Loud, low and long by frame; `middle` is the median pitch."""
    first = min(frame_of(o.seconds) for o in onsets)
    frames = {frame_of(o.seconds) - first for o in onsets}
    frames = {frame for frame in frames if frame < MOST_FRAMES}
    start = densest_stretch(frames)
    used = set(sorted(f for f in frames if start <= f < start + STRETCH)[:MOST_ONSETS])
    sums = defaultdict(lambda: [0, 0, 0])
    for o in onsets:
        frame = frame_of(o.seconds) - first
        if frame not in used:
            continue
        loud = (o.velocity + 7) // 8
        low = (2 if o.pitch in BACKBEAT else 0) if o.drum else int(o.pitch < middle - 7)
        sums[frame][0] += loud
        sums[frame][1] += loud * low
        sums[frame][2] += 8 if o.drum else min(frame_of(o.length, 32), 64)
    return {f: (min(-(-a // 8), 4), min(-(-b // 8), 4), min(-(-c // 16), 7)) for f, (a, b, c) in sorted(sums.items())}


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


def candidates(onsets: list[Onset], middle: int, drums: float) -> list[tuple[float, list[float]]]:
    """(period in frames, features) of each candidate for the beat; none with too few onsets. `drums` is their share."""
    if not onsets:
        return []
    by_frame = strengths(onsets, middle)
    if len(by_frame) < FEWEST_ONSETS:
        return []
    sums = [autocorrelation({f: s[i] for f, s in by_frame.items()}) for i in range(3)]
    means = [sum(s[6:LAGS]) / (LAGS - 6) for s in sums]
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
    return found


def estimate(onsets: list[Onset], middle: int, drums: float) -> tuple[float, float] | None:
    """Beats a minute and the confidence in them."""
    found = candidates(onsets, middle, drums)
    if not found:
        return None
    scores = [sum(map(mul, WEIGHTS, features)) for _, features in found]
    best = scores.index(max(scores))
    return 60 * RATE / found[best][0], 1 / sum(math.exp(score - scores[best]) for score in scores)
