"""Fit the scores of core/harmony/chord_scores.py: python -m training.chords [CORPUS [TRUTH]]

Learns from the songs of POP909 in accuracy.chords.TRAINING_FOLDS: a structured perceptron (M. Collins, 2002), averaged, with a margin.
Each song is decoded with the scores so far, wrong beats costing MARGIN less; the scores of what is right then rise, and those of what
was decided fall. Few scores are fitted, as they must hold for any music: a bias per quality, one bonus per place of the bass, "no
chord" and the cost of a change. A pitch class that sounds throughout a beat scores 1,024.

The perceptron favours suspended chords where the label is a plain triad. The bias of suspended chords, the cost of a change and the score
of no chord in silence are therefore searched in the same songs: by the share of beats with the right triad, among all that have a chord and
among those with a major or minor one, and the mean of both. A value stays unless another one is better by MIN_GAIN, which is what the
choice of songs makes uncertain. The score of no chord is lowered by NO_CHORD_LESS, with which more beats are right about having a chord.
Prints the trials and the scores.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

import midiopt
from accuracy import ground_truth, markdown
from accuracy.chords import TRAINING_FOLDS, Label, songs
from accuracy.corpus import make_parser, parse_arguments
from midiopt.core import inspection
from midiopt.core.analyzer import Analyzer
from midiopt.core.harmony.chord_scores import BIAS, CHANGE, SILENCE
from midiopt.core.harmony.chord_symbols import QUALITIES, TRIADS

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]

EPOCHS = 8
RATE = 0.01
MARGIN = 0.5
NAMES = {"maj": 0, "min": 1, "dim": 2, "aug": 3, "sus4": 4, "sus2": 5, "7": 6, "maj7": 7, "min7": 8, "hdim7": 9, "dim7": 10}
SIMILAR = {"sus4(b7)": "sus4", "minmaj7": "min", "1": "maj"}
SIXTHS = {"maj6": 8, "min6": 9}  # the seventh chord of the same notes, a sixth above
NO_CHORD = 12 * len(QUALITIES)
SUSPENDED = [k for k, (name, _) in enumerate(QUALITIES) if name.startswith("sus")]
MIN_GAIN = 0.002
# Of the beats of every third of these songs 0.991 instead of 0.990 are then right about having a chord. By mir_eval these songs have
# 0.9250, 0.9090 and 0.8676 of their time right (root, majmin, sevenths) instead of 0.9250, 0.9091 and 0.8678; with 150, 0.001 less.
NO_CHORD_LESS = 75
# What is searched, and the values that are tried, from the present one on.
TRIED = {
    "suspended": (BIAS[SUSPENDED[0]], -200, -100, 100, 200),
    "change": (CHANGE, 300, 375, 525, 600),
    "silence": (SILENCE, 0, 75, 300, 450),
}
PLACES = 5  # of the bass: root, third, fifth, seventh, no note of the chord

INTERVALS = (np.arange(12)[None, :] - np.arange(12)[:, None]) % 12  # root, pitch class
TONES = np.concatenate([np.isin(INTERVALS, tones) for _, tones in QUALITIES]).astype(float)  # chord, pitch class
PLACE = np.concatenate([np.vectorize(lambda i, t=tones: t.index(i) if i in t else 4)(INTERVALS) for _, tones in QUALITIES])


@dataclass
class Song:
    """A song to learn from."""

    weights: Floats  # beat, pitch class: 1 for one that sounds throughout
    bass: Ints  # pitch class; 12 in silence
    right: Ints  # chord of each beat


def chord_of(label: str) -> int:
    """The number of a chord in Harte's syntax."""
    root, _, quality = label.partition("/")[0].partition(":")
    if root == "N":
        return NO_CHORD
    pitch_class = "C D EF G A B".index(root[0]) + root.count("#") - root.count("b")
    if quality in SIXTHS:
        return 12 * SIXTHS[quality] + (pitch_class + 9) % 12
    return 12 * NAMES[SIMILAR.get(quality, quality)] + pitch_class % 12


def read_song(analyzer: Analyzer, data: bytes, labels: list[Label]) -> Song:
    """The beats of a song, each with the label that holds in its middle."""
    analyzer.analyze(data, bytes(16), 0, bytearray(), bytearray())
    ticks, weights, bass = zip(*inspection.beat_weights(analyzer), strict=True)
    seconds = midiopt.tempo_map(data).seconds_at([*ticks, 2 * ticks[-1] - ticks[-2]])
    at = np.searchsorted([start for start, _, _ in labels], (seconds[1:] + seconds[:-1]) / 2, side="right") - 1
    right = [chord_of(labels[i][2]) if i >= 0 else NO_CHORD for i in at]
    return Song(np.array(weights) / 1024, np.array([12 if low is None else low for low in bass]), np.array(right))


@dataclass
class Scores:
    """What is fitted; the score of a pitch class in the chord is learnt too, and the others are printed in its units."""

    tone: Floats
    bias: Floats
    bass: Floats
    no_chord: Floats  # constant, and per weight that sounds
    change: Floats

    @classmethod
    def zeros(cls) -> Scores:
        """No evidence yet; a change costs as much as a pitch class may gain."""
        return cls(np.zeros(1), np.zeros(len(QUALITIES)), np.zeros(PLACES), np.zeros(2), np.ones(1))

    def arrays(self) -> list[Floats]:
        """All scores."""
        return [self.tone, self.bias, self.bass, self.no_chord, self.change]

    def of_beats(self, song: Song) -> Floats:
        """The score of each chord in each beat."""
        bonus = np.concatenate([self.bass[PLACE], np.zeros((NO_CHORD, 1))], axis=1)
        chords = self.tone * (song.weights @ TONES.T) + np.repeat(self.bias, 12) + bonus[:, song.bass].T
        nothing = self.no_chord[0] + self.no_chord[1] * song.weights.sum(1)
        return np.concatenate([chords, nothing[:, None]], axis=1)

    def add(self, song: Song, path: Ints, rate: float) -> None:
        """Raise what a path scores."""
        chords = path < NO_CHORD
        named, bass = path[chords], song.bass[chords]
        self.tone += rate * (TONES[named] * song.weights[chords]).sum() / 10
        np.add.at(self.bias, named // 12, rate)
        np.add.at(self.bass, PLACE[named[bass < 12], bass[bass < 12]], rate)
        self.no_chord += rate * np.array([(~chords).sum(), song.weights[~chords].sum()])
        self.change -= rate * np.count_nonzero(np.diff(path))


def best_path(scores: Floats, change: float) -> Ints:
    """The path with the highest sum of scores less `change` per change."""
    total = np.zeros(scores.shape[1])
    sources = np.empty(scores.shape, np.int64)
    for beat, score in enumerate(scores):
        leader = total.argmax()
        stays = total >= total[leader] - change
        sources[beat] = np.where(stays, np.arange(len(total)), leader)
        total = np.where(stays, total, total[leader] - change) + score
    path = np.empty(len(scores), np.int64)
    path[-1] = total.argmax()
    for beat in range(len(scores) - 1, 0, -1):
        path[beat - 1] = sources[beat, path[beat]]
    return path


def fit(training: list[Song]) -> list[Floats]:
    """The scores, averaged over the later half of the epochs."""
    scores, order = Scores.zeros(), np.random.default_rng(0)
    sums: list[Any] = [0.0] * len(scores.arrays())
    for epoch in range(EPOCHS):
        for i in order.permutation(len(training)):
            song = training[i]
            of_beats = scores.of_beats(song) + MARGIN
            of_beats[np.arange(len(song.right)), song.right] -= MARGIN
            path = best_path(of_beats, float(scores.change[0]))
            rate = RATE / np.sqrt(1 + epoch)
            scores.add(song, song.right, rate)
            scores.add(song, path, -rate)
            if 2 * epoch >= EPOCHS:
                sums = [total + part for total, part in zip(sums, scores.arrays(), strict=True)]
    return sums


def triads_of(chords: Ints) -> Ints:
    """The triad of each chord, 12 per quality; NO_CHORD stays."""
    quality = np.array([TRIADS[k] for k in range(len(QUALITIES))])
    named = np.minimum(chords, NO_CHORD - 1)
    return np.where(chords == NO_CHORD, NO_CHORD, 12 * quality[named // 12] + named % 12)


def right_triads(songs: list[Song], of_beats: list[Floats], values: dict[str, int]) -> list[float]:
    """The share of beats with the right triad, the mean of the songs: of beats with any chord, and with a major or minor triad."""
    shares = []
    raised = np.repeat(np.isin(np.arange(len(QUALITIES)), SUSPENDED), 12)
    for song, scores in zip(songs, of_beats, strict=True):
        mine = scores.copy()
        mine[:, :NO_CHORD][:, raised] += values["suspended"]
        mine[song.weights.sum(1) == 0] = [0.0] * NO_CHORD + [values["silence"]]
        right, path = triads_of(song.right), triads_of(best_path(mine, values["change"]))
        shares.append([float((path == right)[counts].mean()) for counts in (right < NO_CHORD, right < 2 * 12)])
    return [float(share) for share in np.mean(shares, axis=0)]


def search(songs: list[Song], fitted: Scores) -> dict[str, int]:
    """The best values of what is searched; prints each trial."""
    without = replace(fitted, bias=np.where(np.isin(np.arange(len(QUALITIES)), SUSPENDED), 0, fitted.bias))
    of_beats = [without.of_beats(song) for song in songs]
    found = {name: values[0] for name, values in TRIED.items()}
    best = right_triads(songs, of_beats, found)
    lines: list[list[object]] = [[*found.values(), *best]]
    for name, values in TRIED.items():
        trials = {value: right_triads(songs, of_beats, found | {name: value}) for value in values[1:]}
        lines += [[*(found | {name: value}).values(), *shares] for value, shares in trials.items()]
        total, value = max((sum(shares), value) for value, shares in trials.items())
        if total > sum(best) + 2 * MIN_GAIN:
            found[name], best = value, trials[value]
    print(markdown.table([*TRIED, "right, of all chords", "of major and minor"], lines) + "\n")
    return found


def main(corpus: Path, truth: Path) -> None:
    """Fit and print."""
    analyzer = Analyzer()
    training = [
        read_song(analyzer, (corpus / name).read_bytes(), labels)
        for name, labels in songs(truth).items()
        if ground_truth.fold(name) in TRAINING_FOLDS and (corpus / name).is_file()
    ]
    tone, *others = fit(training)
    fitted = Scores(np.array([1024.0]), *((1024 * part / tone).round() for part in others))
    found = search(training, fitted)
    bias, bass, no_chord = (part.astype(int).tolist() for part in (fitted.bias, fitted.bass, fitted.no_chord))
    for quality in SUSPENDED:
        bias[quality] = found["suspended"]
    print(f"{len(training)} songs\n\nBIAS = {tuple(bias)}\nBASS = {tuple(bass)}")
    no_chord[0] -= NO_CHORD_LESS
    print(f"NO_CHORD, NO_CHORD_WEIGHT = {tuple(no_chord)}\nSILENCE = {found['silence']}\nCHANGE = {found['change']}")


if __name__ == "__main__":
    arguments = parse_arguments(make_parser(__doc__))
    main(arguments.corpus, arguments.truth)
