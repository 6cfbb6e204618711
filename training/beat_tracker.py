"""Fit the weights of core/rhythm/pulse_scores.pyx: python -m training.beat_tracker [CORPUS [TRUTH]]

A network with one hidden layer that says of each pulse (notes that begin together) how much it is a beat and how much a downbeat. It
learns from recorded performances beside a score, whose beats an alignment of the notes gives (accuracy/beats.py). The features come
from reference/beat_tracker.py in plain Python.

Prints the F measures of beats and downbeats of pieces that the weights saw no version of, tracked by the reference at the tempo of
the shipped weights, and writes the weights.

The constants of tracks were searched for at random by F of the beats of two performances of each piece, with scores from weights that
saw no version of the piece; those of bars were tried in 72 combinations.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

import midiopt
from accuracy import ground_truth
from accuracy.beats import Truth, aligned_beats, f_measure, is_plausible
from accuracy.corpus import PROJECT, make_parser, parse_arguments
from accuracy.ground_truth import FOLDS, Row, fold
from reference.beat import FRAME_RATE, choose_beat, find_evidence
from reference.beat_tracker import PlayedNote, Pulses, bars_of, choose_track, group, own_features, with_neighbours
from training.features import read_music
from training.logit import Bools, Floats
from training.network import tanh_approx, tanh_approx_derivative

TOLERANCE = 0.07  # seconds from an annotated beat to its pulse
# 8 units: AUC of beats 0.830 instead of 0.834; features of two pulses to each side, of the change of harmony and of notes that end: none
# gains. Logarithms in place of ratios: 0.832.
UNITS = 16
RIDGE = 1e-3
EPOCHS = 8
BATCH = 4096  # pulses
SHARE = 0.34  # of the pulses of a performance
LEARNING_RATE = 0.01
WARM_UP_STEPS = 30
WEIGHTS = PROJECT / "src" / "midiopt" / "core" / "rhythm" / "pulse_weights.py"


@dataclass
class Performance:
    """What is learnt from a performance."""

    row: Row
    truth: Truth
    period: float  # seconds, at which beats are tracked first
    seconds: Floats  # of pulses
    features: Floats
    labels: Floats  # whether each pulse is a beat, and a downbeat


@dataclass
class Network:
    """The weights, for features as they are."""

    hidden: Floats
    output: Floats
    constant: Floats

    def scores(self, features: Floats) -> Floats:
        """The scores of pulses: as a beat, as a downbeat."""
        return np.asarray(tanh_approx(features @ self.hidden) @ self.output + self.constant)


def nearest_pulses(seconds: Floats, beats: Floats) -> Floats:
    """1 for each pulse that is nearest to a beat."""
    labels = np.zeros(len(seconds))
    nearest = np.abs(seconds[None, :] - beats[:, None]).argmin(1)
    labels[nearest[np.abs(seconds[nearest] - beats) <= TOLERANCE]] = 1
    return labels


def read_performance(row: Row, corpus: Path) -> Performance | None:
    """A performance whose beats are known."""
    path = corpus / row["relpath"]
    score = path.parent / "midi_score.mid"
    if not score.is_file() or not is_plausible(truth := aligned_beats(score, path), row):
        return None
    music = read_music(path)
    evidence = find_evidence(music.onsets, music.median_pitch, music.drum_share) if music else None
    notes = midiopt.notes(path)
    columns = (notes.onset_s.tolist(), notes.end_s.tolist(), notes.pitch.tolist(), notes.velocity.tolist())
    groups = group([PlayedNote(*values) for values in zip(*columns, strict=True)])
    seconds = np.array([together[0].seconds for together in groups])
    features = with_neighbours(own_features(groups))
    labels = np.stack([nearest_pulses(seconds, truth.seconds), nearest_pulses(seconds, truth.seconds[truth.is_downbeat])], 1)
    return Performance(row, truth, choose_beat(evidence)[0] / FRAME_RATE, seconds, features, labels) if evidence else None


def train(performances: list[Performance]) -> Network:
    """The network for which the labels are most probable, by Adam. Each piece counts by the square root of its performances."""
    rng = np.random.default_rng(0)
    versions = Counter(p.row["group"] for p in performances)
    chosen: list[Bools] = [rng.random(len(p.seconds)) < SHARE for p in performances]
    x = np.concatenate([p.features[mine] for p, mine in zip(performances, chosen, strict=True)])
    y = np.concatenate([p.labels[mine] for p, mine in zip(performances, chosen, strict=True)])
    weight = np.concatenate(
        [np.full(mine.sum(), versions[p.row["group"]] ** -0.5 / len(p.seconds)) for p, mine in zip(performances, chosen, strict=True)]
    )
    weight /= weight.mean()
    mean, scale = x.mean(0), x.std(0) + 1e-3
    mean[-1], scale[-1] = 0, 1  # the constant
    z = ((x - mean) / scale).astype(np.float32)
    files, kinds = z.shape
    net = [rng.normal(0, 0.9 / kinds**0.5, (kinds, UNITS)), rng.normal(0, 0.1, (UNITS, 2)), np.zeros(2)]
    ridges = (RIDGE, RIDGE, 0)
    first = [np.zeros_like(each) for each in net]
    second = [np.zeros_like(each) for each in net]
    steps = EPOCHS * (files // BATCH)
    for step in range(1, steps + 1):
        if step % (files // BATCH) == 1:
            order = rng.permutation(files)
        mine = order[(step - 1) % (files // BATCH) * BATCH :][:BATCH]
        sums = z[mine] @ net[0]
        units = tanh_approx(sums)
        error = (1 / (1 + np.exp(-units @ net[1] - net[2])) - y[mine]) * weight[mine, None] / BATCH
        gradient = (z[mine].T @ (error @ net[1].T * tanh_approx_derivative(sums)), units.T @ error, error.sum(0))
        rate = LEARNING_RATE * min(1, step / WARM_UP_STEPS) * (0.5 + 0.5 * np.cos(np.pi * step / steps))
        for i, ridge in enumerate(ridges):
            g = gradient[i] + ridge * net[i]
            first[i] = 0.9 * first[i] + 0.1 * g
            second[i] = 0.99 * second[i] + 0.01 * g**2
            net[i] = net[i] - rate * first[i] / (1 - 0.9**step) / (np.sqrt(second[i] / (1 - 0.99**step)) + 1e-8)
    hidden = net[0] / scale[:, None]
    hidden[-1] -= mean @ hidden
    return Network(hidden, net[1], net[2])


def f_measures(performance: Performance, net: Network) -> tuple[float, float]:
    """The F measures of beats and downbeats that the reference tracks."""
    scores = net.scores(performance.features).astype(np.float32)
    beats = bars_of(choose_track(Pulses(performance.seconds, scores[:, 0], scores[:, 1]), performance.period))
    truth = performance.truth
    return (
        f_measure(truth.seconds, np.array([at for at, _ in beats])),
        f_measure(truth.seconds[truth.is_downbeat], np.array([at for at, position in beats if position == 0])),
    )


def write_weights(net: Network) -> None:
    """Write the module that pulse_scores.pyx and reference/beat_tracker.py import."""

    def numbers(values: Floats) -> str:
        return ", ".join(f"{value:.3f}" for value in values.tolist())

    text = '"""The weights of pulse_scores.pyx, written by training/beat_tracker.py."""\n\n# fmt: off\n'
    text += "HIDDEN_WEIGHTS = (  # a line per feature, in the order of reference/beat_tracker.py, with a weight per unit\n"
    text += "".join(f"    ({numbers(values)}),\n" for values in net.hidden) + ")\n"
    for i, name in enumerate(("BEAT", "DOWNBEAT")):
        text += f"{name}_WEIGHTS = (\n    {numbers(net.output[:, i])},\n)\n{name}_CONSTANT = {net.constant[i]:.3f}\n"
    WEIGHTS.write_text(text)


def main(corpus: Path, truth: Path) -> None:
    """Fit, print results, write the weights."""
    rows = [row for row in ground_truth.read(truth, "tempo", corpus) if row["midi_tempo_map"] == "fake"]
    with ProcessPoolExecutor() as pool:
        performances = [p for p in pool.map(partial(read_performance, corpus=corpus), rows, chunksize=4) if p]
        results: list[tuple[float, float]] = []
        for part in range(FOLDS):
            net = train([p for p in performances if fold(p.row["group"]) != part])
            mine = [p for p in performances if fold(p.row["group"]) == part]
            results += pool.map(f_measures, mine, [net] * len(mine), chunksize=4)
    beats, downbeats = np.mean(results, 0)
    print(f"{len(performances)} of {len(rows)} performances are aligned; untouched: F of beats {beats:.3f}, of downbeats {downbeats:.3f}")
    write_weights(train(performances))


if __name__ == "__main__":
    arguments = parse_arguments(make_parser(__doc__))
    main(arguments.corpus, arguments.truth)
