"""The beats of a recorded performance, tracked through its onsets (docs/accuracy-methods.md, "Beats")."""

from __future__ import annotations

import math
from dataclasses import dataclass
from operator import mul

from midiopt.core.rhythm import pulse_weights
from reference.beat import tanh_approx

GROUP_SECONDS = 0.05
FAR = 8.0  # seconds: the distance to a pulse that is not there, or further away
AT_THE_EDGE = 2.0  # seconds from the first pulse back and from the last one on
LONG_PER_SECOND = 16
OF_NEIGHBOURS = (0, 1, 3, 5, 6, 7)  # features of a pulse that are features of the one before and the one after, too
RATIOS = (1, 1 / 2, 2 / 3, 3 / 2, 2)  # of the period at which beats are tracked
MIN_PERIOD, MAX_PERIOD = 0.18, 3.2  # seconds
REACH = 3.6  # periods back to which the beat before is looked for
MIN_STEP = 0.7  # periods from a beat to the next
MAX_STEPS = 16  # beats over which a silence is counted through
BEAT_BONUS = 1.5
STIFFNESS = 4.2
STEP_COST = 1.7
ADAPTATION = 0.37
MAX_DRIFT = 1.12
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


@dataclass(frozen=True)
class Pulse:
    """Notes that begin together, and how much they are a beat and a downbeat."""

    seconds: float
    beat: float
    downbeat: float


@dataclass(frozen=True)
class TrackedBeat:
    """A beat; where no note begins it has no pulse."""

    seconds: float
    pulse: Pulse | None


# --- pulses ----------------------------------------------------------------------------------------


def group(notes: list[PlayedNote]) -> list[list[PlayedNote]]:
    """The notes of each pulse: those within GROUP_SECONDS of its first."""
    groups: list[list[PlayedNote]] = []
    for note in sorted(notes, key=lambda note: note.seconds):
        if not groups or note.seconds - groups[-1][0].seconds > GROUP_SECONDS:
            groups.append([])
        groups[-1].append(note)
    return groups


def share(x: float, half: float) -> float:
    """0 to 1, and 1/2 at `half`."""
    return x / (x + half)


def distance(times: list[float], key: list[float], i: int, step: int) -> float:
    """Seconds to the nearest pulse, back (step -1) or ahead (1), with a key as high as that of pulse i; at most FAR."""
    j = i + step
    while 0 <= j < len(times):
        if key[j] >= key[i]:
            return min(abs(times[j] - times[i]), FAR)
        j += step
    return FAR


def own_features(groups: list[list[PlayedNote]]) -> list[list[float]]:
    """The features of each pulse."""
    times = [notes[0].seconds for notes in groups]
    longest = [max(0.0, *(n.end - n.seconds for n in notes)) for notes in groups]
    keys: list[list[float]] = [
        [-min(n.pitch for n in notes) for notes in groups],
        [max(n.pitch for n in notes) for notes in groups],
        [max(n.velocity for n in notes) for notes in groups],
        [len(notes) for notes in groups],
        [math.floor(LONG_PER_SECOND * length) for length in longest],
    ]
    last = len(groups) - 1
    features = []
    for i, notes in enumerate(groups):
        mine = [
            share(len(notes), 2),
            keys[2][i] / 127,
            share(sum(n.velocity for n in notes), 200),
            share(longest[i], 0.5),
            share(times[i] - times[i - 1] if i else AT_THE_EDGE, 0.5),
            share(times[i + 1] - times[i] if i < last else AT_THE_EDGE, 0.5),
            (-keys[0][i] - 60) / 12,
        ]
        for key in keys:
            mine += [share(distance(times, key, i, step), 0.5) for step in (-1, 1)]
        features.append(mine)
    return features


def with_neighbours(own: list[list[float]]) -> list[list[float]]:
    """The input of the network for each pulse: its features, some of the pulse before and after, and 1."""
    nothing = [0.0] * len(OF_NEIGHBOURS)
    chosen = [nothing, *([features[k] for k in OF_NEIGHBOURS] for features in own), nothing]
    return [[*features, *chosen[i], *chosen[i + 2], 1.0] for i, features in enumerate(own)]


def find_pulses(notes: list[PlayedNote]) -> list[Pulse]:
    """The pulses of a performance, in time order."""
    groups = group(notes)
    pulses = []
    for together, features in zip(groups, with_neighbours(own_features(groups)), strict=True):
        units = [tanh_approx(sum(map(mul, features, weights))) for weights in zip(*pulse_weights.HIDDEN_WEIGHTS, strict=True)]
        beat = pulse_weights.BEAT_CONSTANT + sum(map(mul, pulse_weights.BEAT_WEIGHTS, units))
        downbeat = pulse_weights.DOWNBEAT_CONSTANT + sum(map(mul, pulse_weights.DOWNBEAT_WEIGHTS, units))
        pulses.append(Pulse(together[0].seconds, beat, downbeat))
    return pulses


# --- tracks ----------------------------------------------------------------------------------------


def track(pulses: list[Pulse], first_period: float) -> tuple[float, list[tuple[int, int]]]:
    """The best track at a period: its score, and for each beat the index of its pulse and how many beats after the one before it is."""
    scores: list[float] = []
    periods: list[float] = []
    links: list[tuple[int, int]] = []
    for j, pulse in enumerate(pulses):
        own = pulse.beat + BEAT_BONUS
        is_late = pulse.seconds - pulses[0].seconds > REACH * first_period
        best, period, link = own - (LATE_COST if is_late else 0), first_period, (-1, 0)
        for i in range(j - 1, -1, -1):
            seconds = pulse.seconds - pulses[i].seconds
            if i < j - 1 and seconds > REACH * periods[i]:
                break
            if seconds < MIN_STEP * periods[i]:
                continue
            distance = seconds / periods[i]
            steps, ratio, cost = max(math.floor(distance + 0.5), 1), 1.0, 0.0
            if steps > MAX_STEPS:  # the music begins anew
                steps = 0
            else:
                ratio = distance / steps
                bend = ratio - 1 / ratio
                cost = STIFFNESS * bend * bend + STEP_COST * (steps - 1)
            if scores[i] + own - cost > best:
                best, link = scores[i] + own - cost, (i, steps)
                period = min(max(periods[i] * (1 + ADAPTATION * (ratio - 1)), first_period / MAX_DRIFT), first_period * MAX_DRIFT)
        scores.append(best)
        periods.append(period)
        links.append(link)
    at_end = [i for i, pulse in enumerate(pulses) if pulses[-1].seconds - pulse.seconds <= REACH * first_period]
    at = max(reversed(at_end), key=scores.__getitem__)
    score, found = scores[at], []
    while at >= 0:
        before, steps = links[at]
        found.append((at, steps))
        at = before
    return score, found[::-1]


def choose_track(pulses: list[Pulse], period: float) -> list[TrackedBeat]:
    """The beats of the track with the highest score, among those at a period and at its multiples and fractions."""
    likely = [pulse for pulse in pulses if pulse.beat >= MIN_BEAT]
    pulses = likely if len(likely) >= MIN_PULSES else pulses
    periods = [period, *(period * ratio for ratio in RATIOS[1:] if MIN_PERIOD <= period * ratio <= MAX_PERIOD)]
    _, found = max((track(pulses, each) for each in periods), key=lambda scored: scored[0])
    beats: list[TrackedBeat] = []
    for at, steps in found:
        if beats and steps:
            step = (pulses[at].seconds - beats[-1].seconds) / steps
            beats += [TrackedBeat(pulses[at].seconds - k * step, None) for k in range(steps - 1, 0, -1)]
        beats.append(TrackedBeat(pulses[at].seconds, pulses[at]))
    return beats


# --- bars ------------------------------------------------------------------------------------------


def downbeat_score(beat: TrackedBeat) -> float:
    """How much a beat is a downbeat, about a logarithm of odds."""
    return beat.pulse.downbeat - BEAT_SHARE * beat.pulse.beat + DOWNBEAT_BONUS if beat.pulse else SILENT_DOWNBEAT


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
    scores = [downbeat_score(beat) for beat in beats]
    _, positions = max((positions_in(meter, scores) for meter in METERS), key=lambda scored: scored[0])
    return [(beat.seconds, position) for beat, position in zip(beats, positions, strict=True)]


def tracked_beats(notes: list[PlayedNote], period: float) -> list[tuple[float, int]]:
    """The time and the position in the bar of each beat of a performance whose beat has a period in seconds."""
    return bars_of(choose_track(find_pulses(notes), period))
