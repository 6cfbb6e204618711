"""Fit the weights of the beat and of the meter from accents: python -m training.beat [CORPUS [TRUTH]]

Both are a choice: of one period among the candidates of a file, scored by a small network (training/network.py), and of one
meter, scored by a linear model (training/logit.py). The features come from reference/ in plain Python, so this takes some
minutes. Ticks, tempo events and declared meters are no features.

Files that nobody annotated but that keep to the one tempo that they declare are learnt from too, with a third of the
weight: 0.74 of untouched ones are right, and 0.72 if none of them is learnt from.

Prints the share of right answers with weights that saw the file (tuned) and that saw no version of its piece (untouched).
Writes core/rhythm/beat_weights.py, and prints the weights of core/rhythm/meter_accents_weights.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np

import midiopt
from accuracy import ground_truth, markdown
from accuracy.corpus import PROJECT, make_parser, parse_arguments
from accuracy.ground_truth import Row
from reference.beat import FRAME_RATE, MAX_CANDIDATES, BeatEvidence, find_evidence
from reference.meter import ACCENT_METERS, accent_features
from training.features import read_music
from training.logit import Bools, Floats, fit, probabilities
from training.network import Network, choice_probabilities, train

Model = TypeVar("Model")

# Piano music has few pieces, fills are a bar or two long.
IMPORTANCE = {"asap_performance": 0.7, "asap_score": 1.5, "gmd_beat": 1.0, "gmd_fill": 0.2, "pop909_beat_midi": 0.6, "declared": 0.3}
# Files without a grid are performances; each is divided by the square root of the number of performances of its piece.
METER_IMPORTANCE = {"nottingham_abc": 0.1, "asap_performance": 1.0, "asap_score": 1.0, "gmd_beat": 0.5, "gmd_fill": 0.1}
METER_SCALE = 4  # of features before the ridge, which penalizes large weights; with 8 one performance in 60 fewer is right
MAX_DECLARED = 150  # files per folder of the corpus that nobody annotated
MIN_NOTES = 32  # of those
MAX_DEFAULT_SHARE = 0.1  # of a folder's files may declare the same tempo; a more frequent one is a program's default
TOLERANCE = 0.04  # of a right tempo
# Each file is learnt from at other speeds too, with half the weight: of untouched performances with a steady tempo
# (ibi_cv < 0.15) 0.83 are right instead of 0.75.
STRETCHES = (0.91, 1.1)
STRETCHED_SHARE = 0.5
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
    for row in rows:
        versions = [row, *(stretched_row(row, by) for by in stretches)]
        evidence = evidence_at_speeds(corpus / row["relpath"], (1, *stretches))
        pairs += [(version, found) for version, found in zip(versions, evidence, strict=True) if found]
    print(f"### {table}: {sum('stretched' not in row for row, _ in pairs)} of {len(rows)} files have a beat\n", flush=True)
    return [row for row, _ in pairs], [found for _, found in pairs]


def declared_rows(corpus: Path, truth: Path) -> list[Row]:
    """Rows like those of tempo.tsv for folders without annotations, from the one tempo that each file keeps to."""
    annotated = {row["relpath"].split("/")[0] for row in ground_truth.read(truth, "tempo", corpus)}
    rows: list[Row] = []
    for folder in sorted(each for each in corpus.iterdir() if each.is_dir() and each.name not in annotated):
        tempos = dict(declared_tempos(folder))
        frequency = Counter(map(round, tempos.values()))
        for path, bpm in tempos.items():
            if frequency[round(bpm)] <= max(MAX_DEFAULT_SHARE * len(tempos), 1):
                relpath = str(path.relative_to(corpus))
                rows.append({"relpath": relpath, "source": folder.name, "group": relpath, "bpm": str(bpm), "bpm_quarter": ""})
    return [row | {"source": "declared"} for row in ground_truth.thin(rows, MAX_DECLARED)]


def declared_tempos(folder: Path) -> Iterator[tuple[Path, float]]:
    """The files of a folder that keep to one declared tempo, and that tempo; the same notes only once."""
    known = set()
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".mid", ".midi")):
        try:
            facts = midiopt.analyze(path)
        except midiopt.MidiError:
            continue
        steady = facts.bpm_source == "tempo_map" and not facts.tempo_changes and facts.is_performance is False
        if steady and facts.bpm is not None and facts.note_count >= MIN_NOTES and facts.notes_hash not in known:
            known.add(facts.notes_hash)
            yield path, facts.bpm


def is_right(period: float, row: Row) -> bool:
    """Whether a period in frames is the annotated beat or quarter note."""
    bpm = 60 * FRAME_RATE / period
    return any(abs(bpm / float(row[name]) - 1) <= TOLERANCE for name in ("bpm", "bpm_quarter") if row[name])


# --- fitting ---------------------------------------------------------------------------------------


def compare(
    rows: list[Row], right: Bools, answers: int, learn: Callable[[Bools], Model], choose: Callable[[Model, Bools], Floats]
) -> Model:
    """Print the share of right answers, tuned and untouched, of files at their own speed.

    learn(files) returns a model; choose(model, files) the probabilities of their choices, of which the first `answers` can
    be an answer. Returns the model of all files that have a right choice.
    """
    learnable = np.asarray(right.any(1))
    folds = np.array([ground_truth.fold(row["group"]) for row in rows])
    model = learn(learnable)
    tuned = choose(model, np.ones(len(rows), bool))
    untouched = np.empty_like(tuned)
    for part in range(ground_truth.FOLDS):
        mine = folds == part
        untouched[mine] = choose(learn(learnable & ~mine), mine)
    sources = np.array([row["source"] for row in rows])
    own_speed = np.array(["stretched" not in row for row in rows])
    lines = []
    for source in np.unique(sources):
        mine = np.flatnonzero(own_speed & (sources == source))
        lines.append([source, len(mine), *(float(right[mine, p[mine, :answers].argmax(1)].mean()) for p in (tuned, untouched))])
    print(markdown.table(["source", "files", "tuned", "untouched"], lines) + "\n")
    best = untouched[:, :answers].argmax(1)
    experts = np.flatnonzero(own_speed & (sources != "declared"))
    answered = zip(untouched[experts, best[experts]].tolist(), right[experts, best[experts]].tolist(), strict=True)
    print("Untouched files that experts annotated:\n\n" + markdown.reliability(list(answered)) + "\n", flush=True)
    return model


def fit_beat(rows: list[Row], evidence: list[BeatEvidence]) -> Network:
    """Train the network that chooses the beat, and print how often it is right."""
    features = np.zeros((len(rows), MAX_CANDIDATES, len(evidence[0].candidates[0].features)))
    right = np.zeros((len(rows), MAX_CANDIDATES + 1), bool)
    present = np.zeros((len(rows), MAX_CANDIDATES), bool)
    for i, (row, found) in enumerate(zip(rows, evidence, strict=True)):
        n = len(found.candidates)
        features[i, :n] = [candidate.features for candidate in found.candidates]
        right[i, :n] = [is_right(candidate.period, row) for candidate in found.candidates]
        present[i, :n] = True
        # A declared tempo that no candidate has may be wrong, so it does not teach that there is no beat.
        right[i, MAX_CANDIDATES] = row["source"] != "declared" and not right[i].any()
    scale = 1 / np.append(features[present].std(0)[:-1], 1)  # the last feature is the constant 1
    importance = np.array([IMPORTANCE[row["source"]] * (STRETCHED_SHARE if "stretched" in row else 1) for row in rows])

    def learn(mine: Bools) -> Network:
        return train(features[mine] * scale, present[mine], right[mine], importance[mine])

    def choose(net: Network, mine: Bools) -> Floats:
        return choice_probabilities(present[mine], net.scores(features[mine][present[mine]] * scale), net.none_score[0])

    net = compare(rows, right, MAX_CANDIDATES, learn, choose)
    return Network(net.hidden * scale[:, None], net.output, net.none_score)


def write_beat_weights(net: Network) -> None:
    """Write the module that beat_network.pyx and reference/beat.py import."""

    def numbers(values: Floats) -> str:
        return ", ".join(f"{value:.3f}" for value in values.tolist())

    text = '"""The weights of beat_network.pyx, written by training/beat.py."""\n\n# fmt: off\n'
    text += "HIDDEN_WEIGHTS = (  # hidden layer: a line per feature, in the order of reference/beat.py, with a weight per unit\n"
    text += "".join(f"    ({numbers(values)}),\n" for values in net.hidden)
    text += f")\nOUTPUT_WEIGHTS = (  # a weight per unit\n    {numbers(net.output)},\n)\n"
    text += f"NO_BEAT_SCORE = {net.none_score[0]:.3f}  # score of the choice that no candidate is the beat\n"
    BEAT_WEIGHTS.write_text(text)


def fit_accent_meter(rows: list[Row], evidence: list[BeatEvidence], beat: Network) -> None:
    """Fit the meter from accents, with the beat that the network chooses; print results and weights."""
    meters = len(ACCENT_METERS)
    best = [found.candidates[beat.scores(np.array([c.features for c in found.candidates])).argmax()] for found in evidence]
    features = np.array([accent_features(found, candidate.period) for found, candidate in zip(evidence, best, strict=True)])
    x = np.einsum("nf,mk->nmkf", features, np.eye(meters)).reshape(len(rows), meters, -1) * METER_SCALE
    right = np.array([[ground_truth.time_signature(row) == meter for meter in ACCENT_METERS] for row in rows])
    versions = Counter((row["source"], row["group"]) for row in rows)
    importance = np.array([METER_IMPORTANCE[row["source"]] / versions[row["source"], row["group"]] ** 0.5 for row in rows])

    def learn(mine: Bools) -> Floats:
        return fit(x[mine], right[mine], importance[mine])

    weights = compare(rows, right, meters, learn, lambda weights, mine: probabilities(weights, x[mine])) * METER_SCALE
    for meter, line in zip(ACCENT_METERS, weights.reshape(meters, -1), strict=True):
        print(f"[{', '.join(f'{w:.2f}' for w in line)}]  # {meter}")


def main(corpus: Path, truth: Path) -> None:
    """Fit both, print tables, write the weights of the beat."""
    tempo_rows = ground_truth.read(truth, "tempo", corpus) + declared_rows(corpus, truth)
    beat = fit_beat(*with_evidence(corpus, "tempo", tempo_rows, STRETCHES))
    write_beat_weights(beat)
    meter_rows = ground_truth.read(truth, "timesig", corpus)
    fit_accent_meter(*with_evidence(corpus, "timesig", meter_rows, ()), beat)


if __name__ == "__main__":
    arguments = parse_arguments(make_parser(__doc__))
    main(arguments.corpus, arguments.truth)
