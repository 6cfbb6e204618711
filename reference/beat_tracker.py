"""The beats of a recorded performance, tracked through its onsets (docs/accuracy-methods.md, "Beats").

Where the kernel has single precision, so have the arrays here, and what is added up is added in the same order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from midiopt.core.rhythm import pulse_weights

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.int64]

GROUP_SECONDS = 0.0501
FAR = 8.0  # seconds: the distance to a pulse that is not there, or further away
MAX_PULSES_AWAY = 32  # of a pulse that another is compared with
AT_THE_EDGE = 2.0  # seconds from the first pulse back and from the last one on
LONG_PER_SECOND, LONG_BEGIN = 16, 0.01
MAX_KEY = 255
OF_NEIGHBOURS = (0, 1, 3, 5, 6, 7)  # features of a pulse that are features of the one before and the one after, too
GROUP_OF_FEATURES = 6  # of which the products are added up first
RATIOS = (1, 1 / 2, 2 / 3, 3 / 2, 2, 1 / 3, 3 / 4, 4 / 3)  # of the period at which beats are tracked
MIN_PERIOD, MAX_PERIOD = 0.18, 2.4  # seconds
REACH = 2.6  # periods back to which the beat before is looked for, of the longest
NEAREST = 0.6  # periods, of the shortest
MAX_WINDOW = 64  # pulses among which it is looked for
MAX_STEPS = 16  # beats over which a silence is counted through
BEAT_BONUS = 1.5
STIFFNESS = 4.2
STEP_COST = 1.7
ADAPTATION = 0.07
MAX_DRIFT = 1.25
LATE_COST = 1e6  # of a track that does not begin with the music
MIN_BEAT = -2.0  # score of pulses that may be beats ...
MIN_PULSES = 4  # ... if there are so many
METERS = (2, 3, 4)  # beats in the bar
BEAT_SHARE = 0.4
DOWNBEAT_BONUS = 1.6
SILENT_DOWNBEAT = -1.0  # where no note begins
SLIP_COST = 2.0  # of a bar that has another length


@dataclass(frozen=True)
class PlayedNote:
    """A note of a performance."""

    seconds: float
    end: float  # seconds
    pitch: int
    velocity: int
    pitched: bool = True  # not a drum


@dataclass(frozen=True)
class Pulses:
    """Notes that begin together, and how much they are a beat and a downbeat: an item of each array per pulse."""

    seconds: Floats
    beat: Floats
    downbeat: Floats


@dataclass(frozen=True)
class TrackedBeat:
    """A beat, and how much it is a downbeat, about a logarithm of odds."""

    seconds: float
    downbeat: float


# --- pulses ----------------------------------------------------------------------------------------


def group(notes: list[PlayedNote]) -> list[list[PlayedNote]]:
    """The notes of each pulse: those within GROUP_SECONDS of its first."""
    groups: list[list[PlayedNote]] = []
    for note in sorted(notes, key=lambda note: note.seconds):
        if not groups or note.seconds - groups[-1][0].seconds > GROUP_SECONDS:
            groups.append([])
        groups[-1].append(note)
    return groups


def share(x: Floats, half: float) -> Floats:
    """0 to 1, and 1/2 at `half`."""
    return np.asarray(x / (x + np.float32(half)))


def distances(times: Floats, key: Ints, step: int) -> Floats:
    """Seconds to the nearest pulse, back (step -1) or ahead (1), with a key as high; FAR if none of MAX_PULSES_AWAY is nearer."""
    found = np.full(len(times), FAR, np.float32)
    for away in range(MAX_PULSES_AWAY, 0, -1):
        if away < len(times):
            mine, other = (slice(away, None), slice(None, -away)) if step < 0 else (slice(None, -away), slice(away, None))
            seconds = np.abs(times[mine] - times[other]).astype(np.float32).clip(max=FAR)
            found[mine] = np.where(key[other] >= key[mine], seconds, found[mine])
    return found


def own_features(groups: list[list[PlayedNote]]) -> Floats:
    """The features of each pulse, a line per pulse; the last is 1."""
    times = np.array([notes[0].seconds for notes in groups])
    longest = np.array([max(0.0, *(n.end - n.seconds for n in notes)) for notes in groups], np.float32)
    keys = [
        np.array([127 - min(n.pitch for n in notes) for notes in groups]),
        np.array([max(n.pitch for n in notes) for notes in groups]),
        np.array([max(n.velocity for n in notes) for notes in groups]),
        np.array([min(len(notes), MAX_KEY) for notes in groups]),
        np.floor(np.minimum(LONG_PER_SECOND * longest + np.float32(LONG_BEGIN), MAX_KEY - 1)).astype(int),
    ]
    apart = np.diff(times).astype(np.float32)
    edge = np.array([AT_THE_EDGE], np.float32)
    columns = [
        share(keys[3].astype(np.float32), 2),
        keys[2].astype(np.float32) * np.float32(1 / 127),
        share(np.array([sum(n.velocity for n in notes) for notes in groups], np.float32), 200),
        share(longest, 0.5),
        share(np.concatenate([edge, apart]), 0.5),
        share(np.concatenate([apart, edge]), 0.5),
        (67 - keys[0]).astype(np.float32) * np.float32(1 / 12),
        *(share(distances(times, key, step), 0.5) for key in keys for step in (-1, 1)),
        np.ones(len(times), np.float32),
    ]
    return np.stack(columns, 1)


def with_neighbours(own: Floats) -> Floats:
    """The input of the network for each pulse: its features, some of the pulse before and after, and 1."""
    nothing = np.zeros((1, len(OF_NEIGHBOURS)), np.float32)
    chosen = np.concatenate([nothing, own[:, OF_NEIGHBOURS], nothing])
    return np.concatenate([own[:, :-1], chosen[:-2], chosen[2:], own[:, -1:]], 1)


def rate(features: Floats) -> tuple[Floats, Floats]:
    """How much each pulse is a beat and a downbeat."""
    weights = np.array(pulse_weights.HIDDEN_WEIGHTS, np.float32)
    hidden = np.zeros((len(features), weights.shape[1]), np.float32)
    for first in range(0, features.shape[1], GROUP_OF_FEATURES):
        a, b, c, d, e, f = (features[:, k, None] * weights[k] for k in range(first, first + GROUP_OF_FEATURES))
        hidden += ((a + b) + (c + d)) + (e + f)
    hidden = hidden.clip(-3, 3)
    square = hidden * hidden
    hidden = hidden * (27 + square) / (27 + 9 * square)
    beat = np.full(len(features), pulse_weights.BEAT_CONSTANT, np.float32)
    downbeat = np.full(len(features), pulse_weights.DOWNBEAT_CONSTANT, np.float32)
    for unit in range(weights.shape[1]):
        beat += np.float32(pulse_weights.BEAT_WEIGHTS[unit]) * hidden[:, unit]
        downbeat += np.float32(pulse_weights.DOWNBEAT_WEIGHTS[unit]) * hidden[:, unit]
    return beat, downbeat


def find_pulses(notes: list[PlayedNote]) -> Pulses:
    """The pulses of a performance, in time order."""
    groups = group(notes)
    return Pulses(np.array([together[0].seconds for together in groups]), *rate(with_neighbours(own_features(groups))))


# --- tracks ----------------------------------------------------------------------------------------


def links(distance: Floats, rates: Floats) -> tuple[Floats, Floats, Floats]:
    """Of distances in seconds (a line per pulse) at rates in beats per second (a column per track): the numbers of beats, by what share
    each of these is longer than expected, and the cost."""
    beats = distance[:, None] * rates
    steps = 1 + (beats >= np.float32(1.5)).astype(np.float32) + (beats >= np.float32(2.5)).astype(np.float32)
    part = np.choose(steps.astype(int) - 1, [np.float32(1), np.float32(1 / 2), np.float32(1 / 3)])
    bend = beats * part - np.float32(1)
    return steps, bend, bend_cost(bend) + np.float32(STEP_COST) * (steps - np.float32(1))


def links_over_a_silence(distance: Floats, rates: Floats) -> tuple[Floats, Floats, Floats]:
    """The same where there is no pulse in reach: up to MAX_STEPS beats; beyond, the music begins anew, and the number is 0."""
    beats = distance[:, None] * rates
    steps = np.maximum(np.floor(beats + np.float32(0.5)), np.float32(1))
    anew = steps > MAX_STEPS
    steps[anew] = 1
    bend = np.where(anew, np.float32(0), beats / steps - np.float32(1))
    cost = bend_cost(bend) + np.float32(STEP_COST) * (steps - np.float32(1))
    steps[anew] = 0
    return steps, bend, cost


def bend_cost(bend: Floats) -> Floats:
    """The cost of a distance that is 1 + bend times what was expected."""
    bent = bend * ((np.float32(2) - bend) + bend * bend)
    return np.asarray(np.float32(STIFFNESS) * (bent * bent))


def track(pulses: Pulses, periods: Floats) -> Iterator[tuple[float, list[tuple[int, int]]]]:
    """The best track at each period: its score, and for each beat the index of its pulse and how many beats after the one before it
    is."""
    n, lanes = len(pulses.seconds), np.arange(len(periods))
    scores, rates = np.zeros((n, len(periods)), np.float32), np.zeros((n, len(periods)), np.float32)
    before, steps = np.full(scores.shape, -1), np.zeros(scores.shape, int)
    first_rates = np.float32(1) / periods
    lowest, highest = first_rates / np.float32(MAX_DRIFT), first_rates * np.float32(MAX_DRIFT)
    far, near = np.float32(REACH) * periods.max(), np.float32(NEAREST) * periods.min()
    start = end = 0
    for j, at in enumerate(pulses.seconds):
        while np.float32(at - pulses.seconds[start]) > far:
            start += 1
        while end < j and np.float32(at - pulses.seconds[end]) >= near:
            end += 1
        best = np.where(np.float32(at - pulses.seconds[0]) > np.float32(REACH) * periods, np.float32(-LATE_COST), np.float32(0))
        rates[j] = first_rates
        if end:
            found = slice(max(start, j - MAX_WINDOW) if start < end else end - 1, end)
            link = links if start < end else links_over_a_silence
            counts, bends, costs = link((at - pulses.seconds[found]).astype(np.float32), rates[found])
            longer = scores[found] - costs
            i = longer.argmax(0)
            better = longer[i, lanes] > best
            best = np.where(better, longer[i, lanes], best)
            before[j] = np.where(better, found.start + i, -1)
            steps[j] = np.where(better, counts[i, lanes], 0)
            changed = rates[found][i, lanes] / (np.float32(1) + np.float32(ADAPTATION) * bends[i, lanes])
            rates[j] = np.where(better, np.minimum(np.maximum(changed, lowest), highest), first_rates)
        scores[j] = best + (pulses.beat[j] + np.float32(BEAT_BONUS))
    to_end = (pulses.seconds[-1] - pulses.seconds).astype(np.float32)
    for lane in lanes:
        at_end = [i for i in range(max(n - MAX_WINDOW, 0), n) if to_end[i] <= np.float32(REACH) * periods[lane]]
        at = max(reversed(at_end), key=scores[:, lane].__getitem__)
        score, found_beats = float(scores[at, lane]), []
        while at >= 0:
            found_beats.append((at, int(steps[at, lane])))
            at = before[at, lane]
        yield score, found_beats[::-1]


def choose_track(pulses: Pulses, period: float) -> list[TrackedBeat]:
    """The beats of the track with the highest score, among those at a period and at its multiples and fractions."""
    likely = pulses.beat >= np.float32(MIN_BEAT)
    if likely.sum() >= MIN_PULSES:
        pulses = Pulses(pulses.seconds[likely], pulses.beat[likely], pulses.downbeat[likely])
    periods = [period, *(period * ratio for ratio in RATIOS[1:] if MIN_PERIOD <= period * ratio <= MAX_PERIOD)]
    _, found = max(track(pulses, np.array(periods, np.float32)), key=lambda scored: scored[0])
    beats: list[TrackedBeat] = []
    for at, steps in found:
        seconds = float(pulses.seconds[at])
        if beats and steps:
            step = (seconds - beats[-1].seconds) / steps
            beats += [TrackedBeat(seconds - k * step, SILENT_DOWNBEAT) for k in range(steps - 1, 0, -1)]
        beats.append(TrackedBeat(seconds, float(pulses.downbeat[at]) - BEAT_SHARE * float(pulses.beat[at]) + DOWNBEAT_BONUS))
    return beats


# --- bars ------------------------------------------------------------------------------------------


def positions_in(meter: int, scores: list[float]) -> tuple[float, list[int]]:
    """The most probable positions of beats in bars of `meter` beats, and their score: position after position, but for slips."""
    best = [-math.log(meter) + (scores[0] if k == 0 else 0.0) for k in range(meter)]
    back: list[list[int]] = []
    for score in scores[1:]:
        highest = best.index(max(best))
        slipped = best[highest] - SLIP_COST
        come_from = [(k - 1) % meter if best[(k - 1) % meter] >= slipped else highest for k in range(meter)]
        best = [max(best[(k - 1) % meter], slipped) + (score if k == 0 else 0.0) for k in range(meter)]
        back.append(come_from)
    at = best.index(max(best))
    positions, total = [at], best[at]
    for come_from in reversed(back):
        at = come_from[at]
        positions.append(at)
    return total, positions[::-1]


def bars_of(beats: list[TrackedBeat]) -> list[tuple[float, int]]:
    """The time of each beat, and its position in the bar."""
    scores = [beat.downbeat for beat in beats]
    _, positions = max((positions_in(meter, scores) for meter in METERS), key=lambda scored: scored[0])
    return [(beat.seconds, position) for beat, position in zip(beats, positions, strict=True)]


def tracked_beats(notes: list[PlayedNote], period: float) -> list[tuple[float, int]]:
    """The time and the position in the bar of each beat of a performance whose beat has a period in seconds."""
    return bars_of(choose_track(find_pulses(notes), period))
