"""The estimated meter; each way is a linear model whose weights are learnt (training/).

Notes that keep to the declared quarters are counted in slots of 1/12 quarter, which hold sixteenths and triplets: the
meter shows in the lags at which long, low and top notes recur, and in where in a bar the music begins and ends, if its
quarters are the declared ones. Performances whose beats are tracked are counted in the same way, with the beats as quarters, and weighed
by the same weights. All other music has the meter from accents: the autocorrelations of beat.py at multiples of
the beat and of the shortest pulse.
Declared meters are no evidence.
"""

from __future__ import annotations

import bisect
import math
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from operator import mul

from midiopt.core.rhythm import meter_accents_weights, meter_quantized_weights
from midiopt.schema import METERS as QUANTIZED_METERS
from reference.beat import BASS_MARGIN, KICK_AND_SNARE, LAG_COUNT, MAX_PERIOD, BeatEvidence, refine_peak, softmax_argmax
from reference.beat_tracker import PlayedNote
from reference.sequence import Facts, Note

ACCENT_METERS = QUANTIZED_METERS[:4]
BEAT_MULTIPLES = (1 / 3, 1 / 2, 2 / 3, 1, 3 / 2, 2, 3, 4, 6)
PULSE_MULTIPLES = (2, 3, 4, 6, 8, 9, 12, 16)

SLOTS = 12  # per quarter
SLOT_OFFSET = 0.49876543211  # slots: keeps notes off the edge between two, where rounding would decide
MAX_SLOTS = 2048  # analyzed, from the first onset on: 42 bars of 4/4
MAX_LAST_SLOT = 2**50  # beyond it doubles no longer hold a slot and its fraction
MIN_ONSET_SLOTS = 6
MAX_INTERVAL = 48  # slots
INTERVALS = (2, 3, 4, 6, 8, 9, 12, 18, 24, 36, 48)  # slots between onsets that are counted
BAR_LENGTHS = (12, 18, 24, 36, 48, 54, 72, 108, 144)  # slots
FAR = 4  # beats before the first one and after the last one, to which pulses are placed
MIN_QUARTER = 60 / 170  # seconds; what is shorter is an eighth
TRACKED_TEMPERATURE = 2.0  # scores of performances are divided by it
LAGS = (6, 9, 12, 18, 24, 36, 42, 48, 54, 60, 72, 84, 96, 108, 120, 144, 162, 168, 192, 216)  # slots


# --- from quantized notes --------------------------------------------------------------------------


@dataclass(frozen=True)
class SlotNote:
    """A note in a slot of 1/12 quarter."""

    slot: int
    pitch: int
    pitched: bool


def slot_of(tick: int, quarter: float) -> int:
    """The slot that a tick falls into; `quarter` is in ticks."""
    return math.floor(tick * (SLOTS / quarter) + SLOT_OFFSET)


def quantized_features(notes: list[Note], median_pitch: int, drum_share: float, quarter: float) -> list[float]:
    """Features of the notes of a sequence, empty with too few onsets. `quarter` is in ticks, `drum_share` of the notes."""
    end = slot_of(max(n.end for n in notes), quarter)
    if end >= MAX_LAST_SLOT:
        return []
    return slot_features([SlotNote(slot_of(n.onset, quarter), n.pitch, n.pitched) for n in notes], median_pitch, drum_share, end)


def slot_features(notes: list[SlotNote], median_pitch: int, drum_share: float, end: int | None) -> list[float]:
    """The same of notes in slots. `end` is the slot of the last note end, None if slots are not counted from a bar line."""
    first = min(n.slot for n in notes)
    placed = [(n.slot - first, n) for n in notes if n.slot - first < MAX_SLOTS]
    slots = sorted({slot for slot, _ in placed})
    if len(slots) < MIN_ONSET_SLOTS:
        return []
    intervals = [min(after - slot, MAX_INTERVAL) for slot, after in pairwise([*slots, slots[-1] + SLOTS])]
    long = {slot for slot, interval in zip(slots, intervals, strict=True) if 2 * interval * len(slots) >= 3 * sum(intervals)}
    low = {slot for slot, n in placed if (n.pitch < median_pitch - BASS_MARGIN if n.pitched else n.pitch in KICK_AND_SNARE)}
    top: dict[int, list[int]] = {slot: [-1, -1] for slot in slots}  # the highest pitch and the highest drum
    for slot, n in placed:
        top[slot][not n.pitched] = max(top[slot][not n.pitched], n.pitch)
    features = [1.0, drum_share, float(len(notes) == len(slots) and not drum_share)]  # the last: a melody alone
    features += [intervals.count(interval) / len(slots) for interval in INTERVALS]
    phases = Counter((first + slot) % SLOTS for slot in slots)
    if end is not None and phases[0] == max(phases.values()):  # otherwise the bar lines are elsewhere
        features += [math.cos(2 * math.pi * end_point / bar) for end_point in (first, end) for bar in BAR_LENGTHS]
    else:
        features += [0.0] * (2 * len(BAR_LENGTHS))
    for marked in (long, low):
        features += [sum(slot + lag in marked for slot in marked) / max(len(marked), 1) for lag in LAGS]
    features += [sum(top.get(slot + lag) == notes_on_top for slot, notes_on_top in top.items()) / len(slots) for lag in LAGS]
    return features


def quantized_meter(notes: list[Note], median_pitch: int, drum_share: float, quarter: float) -> Facts:
    """meter_estimated and meter_confidence of notes that keep to the declared quarters; empty with too few onsets."""
    features = quantized_features(notes, median_pitch, drum_share, quarter)
    if not features:
        return {}
    return most_probable(features, 1)


def most_probable(features: list[float], temperature: float) -> Facts:
    """meter_estimated and meter_confidence by the weights of quantized notes, their scores divided by a temperature."""
    scores = [sum(map(mul, weights, features)) / temperature for weights in meter_quantized_weights.WEIGHTS]
    meter, confidence = softmax_argmax(scores)
    return {"meter_estimated": QUANTIZED_METERS[meter], "meter_confidence": confidence}


# --- from tracked beats ----------------------------------------------------------------------------


def slot_of_beat(seconds: float, beats: list[float], slots_per_beat: float) -> int:
    """The slot that a time falls into, between the beats around it."""
    i = min(max(bisect.bisect_right(beats, seconds) - 1, 0), len(beats) - 2)
    apart = beats[i + 1] - beats[i]
    position = i + ((seconds - beats[i]) / apart if apart > 0 else 0)
    return math.floor(min(max(position, -FAR), len(beats) + FAR) * slots_per_beat + SLOT_OFFSET)


def tracked_features(
    pulses: list[list[PlayedNote]], beats: list[float], distance: float, median_pitch: int, drum_share: float
) -> list[float]:
    """Features of notes that are put on tracked beats, as if these were quarters, or three eighths where more pulses are at their thirds
    than at halves and quarters. What is shorter than MIN_QUARTER is an eighth, and what is not is a quarter."""
    parts = Counter(slot_of_beat(together[0].seconds, beats, SLOTS) % SLOTS for together in pulses)
    slots_per_beat = SLOTS / 2 if distance < MIN_QUARTER else SLOTS
    if parts[4] + parts[8] > parts[3] + parts[6] + parts[9]:
        slots_per_beat = SLOTS * 3 if distance > 3 * MIN_QUARTER else SLOTS * 3 / 2
    placed = [(slot_of_beat(together[0].seconds, beats, slots_per_beat), together) for together in pulses]
    return slot_features([SlotNote(slot, n.pitch, n.pitched) for slot, notes in placed for n in notes], median_pitch, drum_share, None)


def tracked_meter(
    pulses: list[list[PlayedNote]], beats: list[tuple[float, int]], distance: float, median_pitch: int, drum_share: float
) -> Facts:
    """meter_estimated and meter_confidence of a performance; empty with too few onsets. `distance` is that of beats in seconds."""
    features = tracked_features(pulses, [seconds for seconds, _ in beats], distance, median_pitch, drum_share)
    return most_probable(features, TRACKED_TEMPERATURE) if features else {}


# --- from accents ----------------------------------------------------------------------------------


def relative_level(smoothed: list[int], mean: float, lag: float) -> float:
    """x / (x + mean) for the highest value x near a lag: 1/2 at the mean, 0 beyond the last lag."""
    at = int(lag)
    if at + 3 > LAG_COUNT or mean == 0:
        return 0.0
    highest = max(smoothed[at : at + 2] if lag < 60 else smoothed[at - 1 : at + 3])
    return highest / (highest + mean)


def shortest_pulse(smoothed: list[int]) -> int:
    """The shortest lag of a peak that has 3/10 of the height of the highest."""
    peaks = [p for p in range(5, MAX_PERIOD + 1) if smoothed[p - 1] <= smoothed[p] > smoothed[p + 1]]
    return next(p for p in peaks if 10 * smoothed[p] > 3 * max(smoothed[q] for q in peaks))


def accent_features(evidence: BeatEvidence, period: float) -> list[float]:
    """Features of the meter, given the period of the beat in frames."""
    pulse = refine_peak(evidence.smoothed[0], shortest_pulse(evidence.smoothed[0]))
    means = [sum(smoothed[6:LAG_COUNT]) / (LAG_COUNT - 6) for smoothed in evidence.smoothed]
    curves = list(zip(evidence.smoothed, means, strict=True))
    features = [1, math.log2(period / 25), evidence.density + math.log2(period), evidence.drum_share]
    features += [relative_level(smoothed, mean, period * n) for smoothed, mean in curves for n in BEAT_MULTIPLES]
    features += [math.log2(pulse / 12)]
    features += [relative_level(smoothed, mean, pulse * n) for smoothed, mean in curves for n in PULSE_MULTIPLES]
    return features


def accent_meter(evidence: BeatEvidence, period: float) -> Facts:
    """meter_estimated and meter_confidence from accents."""
    features = accent_features(evidence, period)
    meter, confidence = softmax_argmax([sum(map(mul, weights, features)) for weights in meter_accents_weights.WEIGHTS])
    return {"meter_estimated": ACCENT_METERS[meter], "meter_confidence": confidence}
