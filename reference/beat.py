"""The beat from onsets alone: `bpm_onsets`, without a look at ticks or tempo events.

Time is cut into frames of 20 ms. Each frame that holds an onset has three small integer strengths: loudness, bass, length.
The autocorrelation of each shows after how many frames the music repeats; its peaks are the candidates for the beat, and
small networks choose among them (docs/accuracy-methods.md, "Tempo").
"""

from __future__ import annotations

import bisect
import math
from collections import defaultdict
from dataclasses import dataclass
from itertools import compress
from operator import mul
from typing import NamedTuple

from midiopt.core.rhythm import beat_weights
from reference.sequence import Sequence

Weights = tuple[tuple[float, ...], ...]

FRAME_RATE = 50  # frames per second
FRAME_OFFSET = 0.37123456789  # frames: keeps the onsets of any grid off the edge between two frames, where rounding would decide
MAX_FIRST_FRAME = 2**46  # a later first onset gives no beat: beyond it doubles no longer hold a frame to 1/64
MAX_SEQUENCES = 32  # with MIN_ONSETS notes that are searched for a beat
MIN_ONSETS = 6  # notes
MAX_FRAMES = 32_768  # analyzed, from the first onset on: 10.9 minutes
BLOCK_FRAMES = 64  # of a long piece only every second, third, ... block is correlated with the whole
MAX_ONSET_FRAMES = 1024  # frames with onsets that are correlated with the whole
MIN_ONSET_FRAMES = 6  # fewer give no beat
LAG_COUNT = 208  # lags of the autocorrelation in frames: 4.16 s
AVERAGED_LAGS = 199  # lags below this have all the neighbours that they are averaged over
MIN_PERIOD, MAX_PERIOD = 10, 104  # frames per beat: 300 to 29 BPM
MAX_SCALING_LAG = 150  # the highest average up to here scales the features
MAX_CANDIDATES = 9
BASS_MARGIN = 7  # semitones below the median pitch
KICK_AND_SNARE = frozenset((35, 36, 37, 38, 39, 40))  # General MIDI bass and snare drums, side stick, hand clap
PERIOD_RATIOS = (1, 1 / 2, 1 / 3, 1 / 4, 2, 3, 4, 3 / 2, 2 / 3)  # lags of the features, in periods
FOURIER_MULTIPLES = (1, 2, 3, 4, 6, 8, 12, 16)  # frequencies of the features, in cycles per four periods
HANN_LAGS = 104  # half a Hann window, which fades the autocorrelation out before the Fourier coefficients
HANN = (1, *(1 + math.cos(math.pi * lag / HANN_LAGS) for lag in range(1, HANN_LAGS)))
FIXED_POINT = 2**20  # scale of the sums in which peaks are searched, integers so that rounding decides nothing
MAX_FIXED_POINT = 2**32 - 1  # where lag 0 has hardly any excess
OCTAVE_TOLERANCE = 0.0704  # octaves: about 5 % of a period


@dataclass(frozen=True)
class Onset:
    """What the beat is estimated from: the onset of a note."""

    seconds: float
    quarter: float  # quarters from the beginning, by the file's own division
    length: float  # seconds, at the tempo of the onset
    pitch: int
    velocity: int
    drum: bool


class Autocorrelation(NamedTuple):
    """Of one strength, for each lag in frames."""

    smoothed: list[int]  # products summed, smoothed twice with weights 1 2 1
    excess: list[float]  # less what the same strengths would give by chance
    averaged: list[float]  # the excess averaged over 1/25 of the lag to both sides; 0 from AVERAGED_LAGS on


class Candidate(NamedTuple):
    """A possible beat."""

    period: float  # frames
    features: list[float]


@dataclass(frozen=True)
class BeatEvidence:
    """What the beat and the meter are estimated from."""

    candidates: list[Candidate]  # by height of their peak
    smoothed: list[list[int]]  # autocorrelations of loudness, bass and length
    density: float  # log2 of onset frames per frame
    drum_share: float  # of the onsets


def onsets_of(sequence: Sequence) -> list[Onset]:
    """The notes of a sequence as onsets."""
    seconds, quarter = sequence.tempo_map.seconds, sequence.quarter
    return [
        Onset(seconds(n.onset), n.onset / quarter, sequence.nominal_seconds(n), n.pitch, n.velocity, not n.pitched) for n in sequence.notes
    ]


def lower_median(pitches: list[int]) -> int:
    """The lowest pitch with at least half of the notes at or below it; 0 without notes."""
    return sorted(pitches)[(len(pitches) - 1) // 2] if pitches else 0


def frame_of(seconds: float, rate: float = FRAME_RATE) -> int:
    """The frame that a time falls into."""
    return math.floor(seconds * rate + FRAME_OFFSET)


def onsets_by_frame(onsets: list[Onset]) -> dict[int, list[Onset]]:
    """The onsets of each frame that has any, in order, the first onset in frame 0."""
    first = min(frame_of(o.seconds) for o in onsets)
    frames = defaultdict(list)
    for o in onsets:
        frames[frame_of(o.seconds) - first].append(o)
    return {frame: frames[frame] for frame in sorted(frames) if frame < MAX_FRAMES}


def strengths(frames: dict[int, list[Onset]], median_pitch: int) -> dict[int, tuple[int, int, int]]:
    """Loudness (0 to 4), bass (0 to 4) and length (0 to 7) of each frame.

    Bass counts pitched notes well below the median pitch, and kick and snare twice.
    """
    sums = {}
    for frame, onsets in frames.items():
        loudness = [(o.velocity + 7) // 8 for o in onsets]
        bass = [(2 if o.pitch in KICK_AND_SNARE else 0) if o.drum else int(o.pitch < median_pitch - BASS_MARGIN) for o in onsets]
        length = [8 if o.drum else min(frame_of(o.length, 32), 64) for o in onsets]
        sums[frame] = sum(loudness), sum(map(mul, loudness, bass)), sum(length)
    return {f: (min(-(-a // 8), 4), min(-(-b // 8), 4), min(-(-c // 16), 7)) for f, (a, b, c) in sums.items()}


# --- autocorrelation -------------------------------------------------------------------------------


def smooth(sums: list[int]) -> list[int]:
    """Smooth twice with weights 1 2 1; lag 0 is only scaled to match."""
    at_lag_0 = 16 * sums[0]
    for _ in range(2):
        sums = [0, *(sums[i - 1] + 2 * sums[i] + sums[i + 1] for i in range(1, len(sums) - 1)), 0]
    return [at_lag_0, *sums[1:]]


def autocorrelation(strength: dict[int, int]) -> Autocorrelation:
    """Autocorrelation of one strength, given for each frame with onsets."""
    step = 1 + (len(strength) - 1) // MAX_ONSET_FRAMES
    used = [frame for frame in strength if frame // BLOCK_FRAMES % step == 0][:MAX_ONSET_FRAMES]
    nonzero = {frame: s for frame, s in strength.items() if s}
    order = sorted(nonzero)
    sums = [0] * LAG_COUNT
    for frame in used:
        if frame in nonzero:
            for other in order[bisect.bisect_left(order, frame) : bisect.bisect_left(order, frame + LAG_COUNT)]:
                sums[other - frame] += nonzero[frame] * nonzero[other]
    smoothed = smooth(sums)
    frames = max(strength) + 1
    chance = 16.0 * sum(strength[frame] for frame in used) * sum(strength.values()) / frames / frames
    expected = [chance * max(frames - lag, 0) for lag in range(LAG_COUNT)]
    averaged = [0.0] * LAG_COUNT
    for lag in range(AVERAGED_LAGS):
        reach = math.floor(lag / 25 + 0.5)
        averaged[lag] = 1 / (2 * reach + 1) * sum(smoothed[lag - reach : lag + reach + 1]) - expected[lag]
    return Autocorrelation(smoothed, [value - by_chance for value, by_chance in zip(smoothed, expected, strict=True)], averaged)


def highest_peaks(sums: list[int]) -> list[int]:
    """The lags of the highest peaks, highest first; among equals the shorter lag first."""
    found = [p for p in range(MIN_PERIOD, MAX_PERIOD + 1) if sums[p - 1] <= sums[p] > sums[p + 1]]
    return sorted(found, key=lambda p: (-sums[p], p))[:MAX_CANDIDATES]


def refine_peak(sums: list[int], peak: int) -> float:
    """The period in fractions of a frame: parabolas through the peaks at 1, 2, 4, ... periods while they keep 4/5 of the height."""
    period, multiple = float(peak), 1
    while (at := math.floor(period * multiple + 0.5)) + 3 < LAG_COUNT:
        if multiple > 1:
            at = max((at - 1, at, at + 1), key=lambda lag: sums[lag])
        before, here, after = sums[at - 1 : at + 2]
        if before <= here >= after and (curvature := before - 2 * here + after) < 0 and 5 * here > 4 * sums[peak]:
            period = (at + 0.5 * (before - after) / curvature) / multiple
        elif multiple > 1:
            break
        multiple *= 2
    return period


def refine_period(sums: list[int], period: float) -> float:
    """A period within 2 % from the sums that are not averaged, if the tempo is steady: the peak at twice the lag is 4/5 as high."""
    reach = max(1, 0.02 * period)
    highest = max(range(math.ceil(period - reach), int(period + reach) + 1), key=lambda lag: sums[lag])
    found = refine_peak(sums, highest)
    twice = int(2 * found + 0.5)
    steady = twice + 3 < LAG_COUNT and 5 * max(sums[twice - 1 : twice + 2]) > 4 * sums[highest]
    return found if steady and abs(found - period) <= 0.02 * period else period


# --- candidates ------------------------------------------------------------------------------------


def ratio(part: float, whole: float) -> float:
    """part / whole; 0 unless the whole is positive."""
    return part / whole if whole > 0 else 0.0


def max_near(averaged: list[float], lag: float) -> float:
    """The highest value within 1 % of the lag and within half a frame; 0 beyond the last average."""
    reach = max(0.5, lag * 0.01)
    last = int(lag + reach + 0.5)
    return max(averaged[int(lag - reach + 0.5) : last + 1]) if last < AVERAGED_LAGS else 0.0


def fourier_at_multiples(faded: list[float], period: float) -> list[float]:
    """Cosine coefficients of a faded autocorrelation at FOURIER_MULTIPLES of a quarter of the beat's frequency."""
    return [sum(value * math.cos(math.pi / 2 * n * lag / period) for lag, value in enumerate(faded)) for n in FOURIER_MULTIPLES]


def find_evidence(onsets: list[Onset], median_pitch: int, drum_share: float) -> BeatEvidence | None:
    """The candidates for the beat with their features; None with too few onsets or without a peak."""
    frames = onsets_by_frame(onsets) if onsets else {}
    if len(frames) < MIN_ONSET_FRAMES:
        return None
    by_frame = strengths(frames, median_pitch)
    smoothed, excess, averaged = zip(*(autocorrelation({f: s[i] for f, s in by_frame.items()}) for i in range(3)), strict=True)
    highest = [max(e[MIN_PERIOD : MAX_SCALING_LAG + 1]) for e in averaged]
    loudness_scale, length_scale = ratio(1, excess[0][0]), ratio(1, excess[2][0])
    combined_averaged, combined = (  # loudness and length together
        [min(max(int(FIXED_POINT * (a * loudness_scale + b * length_scale)), 0), MAX_FIXED_POINT) for a, b in zip(e[0], e[2], strict=True)]
        for e in (averaged, excess)
    )
    faded = [[ratio(value, e[0]) * weight for value, weight in zip(e, HANN, strict=False)] for e in excess]
    density = math.log2(len(by_frame) / max(max(by_frame), 25))
    candidates = []
    for peak in highest_peaks(combined_averaged):
        period = refine_peak(combined_averaged, peak)
        slowness = math.log2(period / 25)  # octaves below 120 BPM
        per_beat = density + slowness + math.log2(25)  # log2 of onset frames per beat
        features = [slowness, slowness**2, slowness**3, per_beat**2]
        features += [ratio(max_near(e, period * r), top) for e, top in zip(averaged, highest, strict=True) for r in PERIOD_RATIOS]
        features += [value for e in faded for value in fourier_at_multiples(e, period)] + [1]
        candidates.append(Candidate(refine_period(combined, period), features))
    return BeatEvidence(candidates, list(smoothed), density, drum_share) if candidates else None


# --- the choice ------------------------------------------------------------------------------------


def softmax_argmax(scores: list[float]) -> tuple[int, float]:
    """The first of the highest scores, and its softmax probability."""
    best = scores.index(max(scores))
    return best, 1 / sum(math.exp(score - scores[best]) for score in scores)


def tanh_approx(x: float) -> float:
    """The hyperbolic tangent by its continued fraction (J. H. Lambert, 1768), cut where that reaches 1."""
    x = min(max(x, -3), 3)
    return x * (27 + x**2) / (27 + 9 * x**2)


def network_score(hidden: Weights, output: tuple[float, ...], features: list[float]) -> float:
    """The score of a candidate: a network with one hidden layer."""
    sums = [sum(map(mul, features, weights)) for weights in zip(*hidden, strict=True)]
    score: float = sum(map(mul, output, map(tanh_approx, sums)))
    return score


def odds_of(features: list[list[float]]) -> list[float]:
    """The odds of each candidate: those of its level, together with its octaves, times its share among these."""
    w = beat_weights
    levels = [math.exp(network_score(w.LEVEL_HIDDEN_WEIGHTS, w.LEVEL_OUTPUT_WEIGHTS, each)) for each in features]
    octaves = [math.exp(network_score(w.OCTAVE_HIDDEN_WEIGHTS, w.OCTAVE_OUTPUT_WEIGHTS, each)) for each in features]
    odds = []
    for mine, octave in zip(features, octaves, strict=True):
        apart = [abs(mine[0] - other[0]) for other in features]
        same = [a <= OCTAVE_TOLERANCE or abs(a - 1) <= OCTAVE_TOLERANCE for a in apart]
        odds.append(octave * (sum(compress(levels, same)) / sum(compress(octaves, same))))
    return odds


def choose_beat(evidence: BeatEvidence) -> tuple[float, float]:
    """The period of the best candidate in frames, and its probability; that none is the beat is one more choice."""
    odds = odds_of([candidate.features for candidate in evidence.candidates])
    best = odds.index(max(odds))
    return evidence.candidates[best].period, odds[best] / (sum(odds) + math.exp(beat_weights.NO_BEAT_SCORE))
