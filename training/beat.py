"""Fit the weights of the beat and of the meter from accents: python -m training.beat [CORPUS [TRUTH]]

Both are a choice: of one period among the candidates of a file, scored by small networks (training/network.py), and of one
meter, scored by a linear model (training/logit.py). The features come from reference/ in plain Python, so this takes half
an hour of all processors. Ticks, tempo events and declared meters are no features.

Files that nobody annotated but that keep to the one tempo that they declare are learnt from too, as are those of the folders
beside the corpus (accuracy/corpus.py).

Prints the share of right answers (training/held_out.py). Writes core/rhythm/beat_weights.py and
meter_accents_weights.py.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import compress
from pathlib import Path

import numpy as np

import midiopt
from accuracy import ground_truth
from accuracy.corpus import PROJECT, all_folders, make_parser, midi_files, parse_arguments
from accuracy.declared import MIN_NOTES, are_meant, keeps_tempo
from accuracy.ground_truth import Row
from accuracy.tempo import ACC2_FACTORS
from reference.beat import FRAME_RATE, MAX_CANDIDATES, OCTAVE_TOLERANCE, BeatEvidence, find_evidence
from reference.meter import ACCENT_METERS, BEAT_MULTIPLES, PULSE_MULTIPLES, accent_features
from training.features import read_music
from training.held_out import collections, confidence_table, hold_out, shares
from training.logit import Bools, Floats, fit_by_choice, softmax
from training.meter_weights import write_weights
from training.network import ABSENT, UNITS, Aim, Network, together, train

# Piano music has few pieces, fills are a bar or two long. With 0.3 for declared files, and a third of the ridge, 0.685 of the files
# of collections that are held out are right instead of 0.715.
IMPORTANCE = {
    "asap_performance": 0.7,
    "asap_score": 1.5,
    "gmd_beat": 2.0,
    "gmd_fill": 0.2,
    "pop909_beat_midi": 1.0,
    "declared": 1.0,
    "declared_melody": 0.4,
}
# Files without a grid are performances; each is divided by the square root of the number of performances of its piece.
METER_IMPORTANCE = {"nottingham_abc": 0.1, "asap_performance": 1.0, "asap_score": 1.0, "gmd_beat": 0.5, "gmd_fill": 0.1}
METER_SCALE = 2  # of features before the ridge, which penalizes large weights; with 4 answers above 0.8 are wrong more often
MAX_DECLARED = 400  # files per folder of the corpus that nobody annotated
TOLERANCE = 0.04  # of a right tempo
# Each file is learnt from at other speeds too, with half the weight: of untouched performances with a steady tempo
# (ibi_cv < 0.15) 0.83 are right instead of 0.75.
STRETCHES = (0.91, 1.1)
STRETCHED_SHARE = 0.5
# The network of levels counts half, twice, a third and three times the tempo as nearly right. It learns from no performances: the tempo of
# those that it is not sure of is that of the tracked beats, and of steady ones that were not seen 0.820 instead of 0.815 are right.
LEVEL_AIM = Aim(0.3, 0.7, ridge=30, missing=0.1)
# Those of octaves: one that learns nothing else, and may know what is usual in each collection, and one that learns the beat as a whole.
OCTAVE_AIMS = (Aim(1, -1, ridge=10), Aim(1, 0, ridge=30))
OCTAVE_SHARES = (0.7, 0.3)
# Scores are divided by them, so that of foreign files above a confidence of 0.8 0.87 are right: a network knows the collections that it
# learns from better than others.
LEVEL_TEMPERATURE = 1.45
OCTAVE_TEMPERATURE = 1.15
STRENGTHS = ("loudness", "bass", "length")
BEAT_WEIGHTS = PROJECT / "src" / "midiopt" / "core" / "rhythm" / "beat_weights.py"


# --- rows and evidence -----------------------------------------------------------------------------


def evidence_at_speeds(path: Path, stretches: tuple[float, ...]) -> list[BeatEvidence | None]:
    """The evidence of a file, for each factor by which its duration is stretched."""
    music = read_music(path)
    if not music:
        return [None] * len(stretches)
    return [
        find_evidence(
            [replace(o, seconds=o.seconds * by, length=o.length * by) for o in music.onsets], music.median_pitch, music.drum_share
        )
        for by in stretches
    ]


def stretched_row(row: Row, by: float) -> Row:
    """The annotation of a file whose duration is stretched."""
    slower = {name: str(float(row[name]) / by) for name in ("bpm", "bpm_quarter") if row[name]}
    return row | slower | {"stretched": str(by)}


def with_evidence(corpus: Path, table: str, rows: list[Row], stretches: tuple[float, ...]) -> tuple[list[Row], list[BeatEvidence]]:
    """The rows whose file has a beat, each once more per stretch, and the evidence of each."""
    pairs = []
    with ProcessPoolExecutor() as pool:
        read = partial(evidence_at_speeds, stretches=(1, *stretches))
        for row, evidence in zip(rows, pool.map(read, (corpus / row["relpath"] for row in rows), chunksize=8), strict=True):
            versions = [row, *(stretched_row(row, by) for by in stretches)]
            pairs += [(version, found) for version, found in zip(versions, evidence, strict=True) if found]
    print(f"### {table}: {sum('stretched' not in row for row, _ in pairs)} of {len(rows)} files have a beat\n", flush=True)
    return [row for row, _ in pairs], [found for _, found in pairs]


def declared_rows(corpus: Path, truth: Path) -> list[Row]:
    """Rows like those of tempo.tsv for folders without annotations, from the one tempo that each file keeps to."""
    annotated = {row["relpath"].split("/")[0] for row in ground_truth.read(truth, "tempo", corpus)}
    rows: list[Row] = []
    for folder in all_folders(corpus):
        if folder.name in annotated:
            continue
        steady = list(steady_files(folder))
        for path, bpm, kind in compress(steady, are_meant([bpm for _, bpm, _ in steady])):
            relpath = os.path.relpath(path, corpus)
            rows.append({"relpath": relpath, "source": folder.name, "group": relpath, "kind": kind, "bpm": str(bpm), "bpm_quarter": ""})
    return [row | {"source": row["kind"]} for row in ground_truth.thin(rows, MAX_DECLARED)]


def steady_files(folder: Path) -> Iterator[tuple[Path, float, str]]:
    """The files of a folder that keep to one declared tempo, that tempo, and their kind in IMPORTANCE; the same notes only once."""
    known = set()
    for path in midi_files(folder):
        try:
            facts = midiopt.analyze(path)
        except midiopt.MidiError:
            continue
        if keeps_tempo(facts) and facts.bpm is not None and facts.note_count >= MIN_NOTES and facts.notes_hash not in known:
            known.add(facts.notes_hash)
            yield path, facts.bpm, "declared_melody" if facts.polyphony_max == 1 else "declared"


def is_right(period: float, row: Row, factors: tuple[float, ...] = (1.0,)) -> bool:
    """Whether a period in frames is the annotated beat or quarter note, or a factor times its tempo."""
    bpm = 60 * FRAME_RATE / period
    return any(abs(bpm / float(row[name]) / by - 1) <= TOLERANCE for name in ("bpm", "bpm_quarter") if row[name] for by in factors)


# --- fitting ---------------------------------------------------------------------------------------


@dataclass
class Networks:
    """What chooses the beat: a network of levels, and one of the octaves of a level."""

    level: Network
    octave: Network

    def odds(self, features: Floats, present: Bools) -> Floats:
        """The logarithms of the odds of each candidate of files, and in the last column of none, as reference/beat.py has them."""
        slowness = features[..., 0]
        apart = np.abs(slowness[:, :, None] - slowness[:, None, :])
        same = (apart <= OCTAVE_TOLERANCE) | (np.abs(apart - 1) <= OCTAVE_TOLERANCE)
        levels, octaves = (np.exp(net.scores(features)) * present for net in (self.level, self.octave))
        of_level = np.einsum("nij,nj->ni", same, levels) / np.einsum("nij,nj->ni", same, octaves).clip(1e-300)
        found = np.where(present, np.log((octaves * of_level).clip(1e-300)), ABSENT)
        return np.hstack([found, np.full((len(found), 1), self.level.none_score[0])])


class Choices:
    """The candidates of files, files x candidates, and the networks that choose among them."""

    def __init__(self, rows: list[Row], evidence: list[BeatEvidence]) -> None:
        """Collect the candidates, and which of them are right."""
        self.features = np.zeros((len(rows), MAX_CANDIDATES, len(evidence[0].candidates[0].features)))
        self.right = np.zeros((len(rows), MAX_CANDIDATES + 1), bool)
        self.near = np.zeros((len(rows), MAX_CANDIDATES + 1), bool)  # right but for a factor
        self.present = np.zeros((len(rows), MAX_CANDIDATES), bool)
        for i, (row, found) in enumerate(zip(rows, evidence, strict=True)):
            n = len(found.candidates)
            self.features[i, :n] = [candidate.features for candidate in found.candidates]
            self.right[i, :n] = [is_right(candidate.period, row) for candidate in found.candidates]
            self.near[i, :n] = [is_right(candidate.period, row, ACC2_FACTORS) for candidate in found.candidates]
            self.present[i, :n] = True
            # A declared tempo that no candidate has may be wrong, so it does not teach that there is no beat.
            self.right[i, MAX_CANDIDATES] = self.near[i, MAX_CANDIDATES] = "kind" not in row and not self.right[i].any()
        self.scale = 1 / np.append(self.features[self.present].std(0)[:-1], 1)  # the last feature is the constant 1
        self.importance = np.array([IMPORTANCE[row["source"]] * (STRETCHED_SHARE if "stretched" in row else 1) for row in rows])
        self.performed = np.array([row["source"] == "asap_performance" for row in rows])

    def learn(self, mine: Bools) -> Networks:
        """The networks of some files, for features as they are."""

        def network(aim: Aim, these: Bools) -> Network:
            scaled = self.features[these] * self.scale
            net = train(scaled, self.present[these], self.right[these], self.near[these], self.importance[these], aim)
            return Network(net.hidden * self.scale[:, None], net.output, net.none_score)

        level = network(LEVEL_AIM, mine & ~self.performed)
        octave = together([network(aim, mine) for aim in OCTAVE_AIMS], OCTAVE_SHARES)
        return Networks(
            Network(level.hidden, level.output / LEVEL_TEMPERATURE, level.none_score / LEVEL_TEMPERATURE),
            Network(octave.hidden, octave.output / OCTAVE_TEMPERATURE, octave.none_score),
        )

    def choose(self, nets: Networks, mine: Bools) -> Floats:
        """The probability of each candidate of some files, and that of none."""
        return softmax(nets.odds(self.features[mine], self.present[mine]))


def fit_beat(rows: list[Row], evidence: list[BeatEvidence]) -> Networks:
    """Train the networks that choose the beat, and print how often they are right."""
    choices = Choices(rows, evidence)
    nets, results = hold_out(rows, np.asarray(choices.right.any(1)), choices.learn, choices.choose)
    own = np.array(["stretched" not in row for row in rows])
    mine = [row for row in rows if "stretched" not in row]
    labels = [name if "kind" in row else row["source"] for row, name in zip(mine, collections(mine), strict=True)]
    acc1, acc2 = choices.right[own, :MAX_CANDIDATES], choices.near[own, :MAX_CANDIDATES]
    foreign = results.foreign[own]
    columns = {"tuned": (results.tuned[own], acc1), "untouched": (results.untouched[own], acc1)}
    print(shares(labels, columns | {"foreign": (foreign, acc1), "foreign, acc2": (foreign, acc2)}) + "\n")
    print("Foreign:\n\n" + confidence_table(collections(mine), foreign, acc1) + "\n", flush=True)
    return nets


def write_beat_weights(nets: Networks) -> None:
    """Write the module that beat_network.pyx and reference/beat.py import."""

    def numbers(values: Floats) -> str:
        lines = np.split(values, len(values) // UNITS)
        return ",\n     ".join(", ".join(f"{value:.3f}" for value in line.tolist()) for line in lines)

    text = '"""The weights of beat_network.pyx, written by training/beat.py."""\n\n# fmt: off\n'
    for name, net in (("LEVEL", nets.level), ("OCTAVE", nets.octave)):
        text += (
            f"{name}_HIDDEN_WEIGHTS = (  # hidden layer: a line per feature, in the order of reference/beat.py, with a weight per unit\n"
        )
        text += "".join(f"    ({numbers(values)}),\n" for values in net.hidden) + ")\n"
        text += f"{name}_OUTPUT_WEIGHTS = (  # a weight per unit\n    {numbers(net.output)},\n)\n"
    text += f"NO_BEAT_SCORE = {nets.level.none_score[0]:.3f}  # score of the choice that no candidate is the beat\n"
    BEAT_WEIGHTS.write_text(text)


def fit_accent_meter(rows: list[Row], evidence: list[BeatEvidence], beat: Networks) -> None:
    """Fit the meter from accents, with the beat that the networks choose; print results, write the weights."""
    features = [np.array([[candidate.features for candidate in found.candidates]]) for found in evidence]
    odds = [beat.odds(each, np.ones(each.shape[:2], bool))[0, :-1] for each in features]
    best = [found.candidates[of.argmax()] for found, of in zip(evidence, odds, strict=True)]
    accents = np.array([accent_features(found, candidate.period) for found, candidate in zip(evidence, best, strict=True)])
    x = accents * METER_SCALE
    right = np.array([[ground_truth.time_signature(row) == meter for meter in ACCENT_METERS] for row in rows])
    versions = Counter((row["source"], row["group"]) for row in rows)
    importance = np.array([METER_IMPORTANCE[row["source"]] / versions[row["source"], row["group"]] ** 0.5 for row in rows])

    def learn(mine: Bools) -> Floats:
        return fit_by_choice(x[mine], right[mine], importance[mine])

    def choose(weights: Floats, mine: Bools) -> Floats:
        return softmax(x[mine] @ weights)

    weights, results = hold_out(rows, np.asarray(right.any(1)), learn, choose)
    columns = {name: (p, right) for name, p in vars(results).items()}
    print(shares([row["source"] for row in rows], columns) + "\n", flush=True)
    multiples, pulses = (f"at {name}_MULTIPLES" for name in ("BEAT", "PULSE"))
    groups = [(1, "constant"), (3, "octaves below 120 BPM; log2 of onset frames per beat; share of drums")]
    groups += [(len(BEAT_MULTIPLES), f"{strength}, {multiples}") for strength in STRENGTHS]
    groups += [(1, "log2 of the shortest pulse over 0.24 s"), *((len(PULSE_MULTIPLES), f"{strength}, {pulses}") for strength in STRENGTHS)]
    write_weights("meter_accents", "training/beat.py", ACCENT_METERS, groups, weights.T * METER_SCALE)


def main(corpus: Path, truth: Path) -> None:
    """Fit both, print tables, write the weights."""
    tempo_rows = ground_truth.read(truth, "tempo", corpus) + declared_rows(corpus, truth)
    beat = fit_beat(*with_evidence(corpus, "tempo", tempo_rows, STRETCHES))
    write_beat_weights(beat)
    meter_rows = ground_truth.read(truth, "timesig", corpus)
    fit_accent_meter(*with_evidence(corpus, "timesig", meter_rows, ()), beat)


if __name__ == "__main__":
    arguments = parse_arguments(make_parser(__doc__))
    main(arguments.corpus, arguments.truth)
