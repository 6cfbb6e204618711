"""Fit the weights of core/rhythm/beat_network.pyx and core/rhythm/meter_accents.pyx: python -m training.tempo CORPUS TRUTH

Both are a choice (the probability of each is the exponential of its score, over the sum of all): of one period among a
file's candidates, scored by a small network, and of one meter among those that the program knows, scored by weighed
features as in key.py, which has the fit. The features come from tests/rhythm.py, in plain Python, so
that this takes some minutes. Ticks, tempo events and declared meters are no features.

Of the rest of the corpus, which nobody annotated, files that keep to the one tempo that they declare are learnt from too,
a third as much, as if it were right: had none of them been seen, 0.72 would be right instead of 0.74.

Prints the share of right answers where the weights saw the file (tuned) and where they saw no version of its piece
(untouched), and the table of weights of the meters; writes those of the beat to src/midiopt/core/rhythm/beat_weights.py.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import midiopt
from accuracy import annotations, markdown
from reference import rhythm
from training import features  # finds the twins
from training.key import fit, probabilities

# Piano music has few pieces, fills are a bar or two long.
IMPORTANCE = {"asap_performance": 0.7, "asap_score": 1.5, "gmd_beat": 1.0, "gmd_fill": 0.2, "pop909_beat_midi": 0.6, "declared": 0.3}
# What keeps to no grid is a performance; it counts for as much as the root of how many there are of its piece.
METER_IMPORTANCE = {"nottingham_abc": 0.1, "asap_performance": 1.0, "asap_score": 1.0, "gmd_beat": 0.5, "gmd_fill": 0.1}
FEWEST_NOTES = 32  # of a file that nobody annotated
DEFAULT = 0.1  # of a folder's files that may declare a tempo: one that more have is what a program writes unasked
MOST_DECLARED = 150  # of each folder of the corpus
IMPOSSIBLE = -1e9
# Features of meters are multiplied by 4 before the ridge, which punishes large weights. With 8, one performance in sixty less is
# right.
METER_SCALE = 4
# Of beats they are made alike, to a standard deviation of one. With 16 units and this ridge, untouched pieces are right as often as
# with 12 or 24; with a ridge of 2, one performance in twenty less, and one answer in ten above 0.8 is wrong.
UNITS = 16
RIDGE = 10
# Each file is learnt from at other speeds too, half as much: of untouched performances that keep their tempo (ibi_cv < 0.15) 0.83
# are right instead of 0.75.
STRETCHES = (0.91, 1.1)
STRETCHED = 0.5
STEPS = 400
WEIGHTS = Path(__file__).resolve().parent.parent / "src/midiopt/core/rhythm/beat_weights.py"

Row = dict[str, str]


@dataclass
class Music:
    periods: list[float]  # frames
    features: list[list[float]]  # of each
    sums: list[list[int]]
    density: float
    drums: float


@dataclass
class Network:
    weights: np.ndarray
    out: np.ndarray
    nothing: np.ndarray  # the score of none of the candidates being the beat

    def scores(self, x: np.ndarray) -> np.ndarray:
        return bent(x @ self.weights) @ self.out


def bent(x: np.ndarray) -> np.ndarray:
    x = x.clip(-3, 3)
    return x * (27 + x**2) / (27 + 9 * x**2)


def slope(x: np.ndarray) -> np.ndarray:
    square = np.minimum(x**2, 9)
    return (square - 9) ** 2 / (9 * (square + 3) ** 2)


def shares(candidates: np.ndarray, scores: np.ndarray, nothing: float) -> np.ndarray:
    """The probability of each candidate, and last of none; `candidates` says which there are, in whose order the scores are."""
    z = np.full((len(candidates), candidates.shape[1] + 1), IMPOSSIBLE)
    z[:, :-1][candidates] = scores
    z[:, -1] = nothing
    p = np.exp(z - z.max(1, keepdims=True))
    return p / p.sum(1, keepdims=True)


def train(x: np.ndarray, candidates: np.ndarray, right: np.ndarray, importance: np.ndarray) -> Network:
    """The network that makes the right choices most probable, by Adam (D. Kingma and J. Ba, 2015) in steps that fade out.

    x is files x candidates x features; right has one column more.
    """
    x = x[candidates].astype(np.float32)
    kinds = x.shape[1]
    chance = np.random.default_rng(0)
    start = (chance.normal(0, 0.9 / kinds**0.5, (kinds, UNITS)), chance.normal(0, 0.1, UNITS), np.zeros(1))
    net = [each.astype(np.float32) for each in start]
    ridges = (RIDGE, RIDGE, 0)
    mean = [np.zeros_like(each) for each in net]
    square = [np.zeros_like(each) for each in net]
    for step in range(1, STEPS + 1):
        weights, out, nothing = net
        sums = x @ weights
        units = bent(sums)
        p = shares(candidates, units @ out, nothing[0])
        among = p * right
        error = (p - among / among.sum(1, keepdims=True)) * importance[:, None]
        wrong = error[:, :-1][candidates].astype(np.float32)
        back = wrong[:, None] * out * slope(sums)
        gradient = (x.T @ back, units.T @ wrong, error[:, -1:].sum(0))
        rate = 0.02 * min(1, step / 20) * (0.5 + 0.5 * np.cos(np.pi * step / STEPS))
        for i, ridge in enumerate(ridges):
            g = gradient[i] + ridge * net[i]
            mean[i] = 0.9 * mean[i] + 0.1 * g
            square[i] = 0.99 * square[i] + 0.01 * g**2
            step_size = rate * mean[i] / (1 - 0.9**step) / (np.sqrt(square[i] / (1 - 0.99**step)) + 1e-8)
            net[i] = (net[i] - step_size).astype(np.float32)
    return Network(*net)


def listen(path: Path, stretches: tuple[float, ...]) -> list[Music | None]:
    """A file as it is heard when it lasts so much longer."""
    heard = features.hear(path)
    if not heard:
        return [None] * len(stretches)
    musics = []
    for by in stretches:
        onsets = [replace(o, seconds=o.seconds * by, length=o.length * by) for o in heard.onsets]
        found, sums, density = rhythm.candidates(onsets, heard.middle, heard.drums)
        periods, values = zip(*found, strict=True) if found else ((), ())
        musics.append(Music(list(periods), list(values), sums, density, heard.drums) if found else None)
    return musics


def declared(corpus: Path, tables_of_truth: Path) -> list[Row]:
    """Rows like those of tempo.tsv for files of folders of which nothing is annotated, by the one tempo that each keeps to."""
    annotated = {row["relpath"].split("/")[0] for row in annotations.read(tables_of_truth, "tempo", corpus)}
    rows = []
    for folder in sorted(each for each in corpus.iterdir() if each.is_dir() and each.name not in annotated):
        tempos = dict(tempos_of(folder))
        usual = Counter(map(round, tempos.values()))
        rows += [
            {"relpath": path, "source": folder.name, "group": path, "bpm": str(bpm), "bpm_quarter": ""}
            for path, bpm in ((str(path.relative_to(corpus)), bpm) for path, bpm in tempos.items())
            if usual[round(bpm)] <= max(DEFAULT * len(tempos), 1)
        ]
    return [row | {"source": "declared"} for row in annotations.thin(rows, MOST_DECLARED)]


def tempos_of(folder: Path) -> Iterator[tuple[Path, float]]:
    """The files of a folder, each music once, that keep to one declared tempo."""
    known = set()
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".mid", ".midi")):
        try:
            facts = midiopt.analyze(path)
        except midiopt.MidiError:
            continue
        steady = facts.bpm_source == "tempo_map" and not facts.tempo_changes and facts.is_performance is False
        if steady and facts.note_count >= FEWEST_NOTES and facts.notes_hash not in known:
            known.add(facts.notes_hash)
            yield path, facts.bpm


def is_right(period: float, row: Row) -> bool:
    bpm = 60 * rhythm.RATE / period
    return any(abs(bpm / float(row[name]) - 1) <= 0.04 for name in ("bpm", "bpm_quarter") if row[name])


def compare(
    rows: list[Row], right: np.ndarray, answers: int, learn: Callable[[np.ndarray], Any], choose: Callable[[Any, np.ndarray], np.ndarray]
) -> Any:
    """Print what is right, tuned and untouched, of files as they are; returns the model that learnt from every file of which a
    choice is right.

    learn(files) gives a model, choose(model, files) the probabilities of their choices, of which the first `answers` can be
    an answer.
    """
    learnable = right.any(1)
    folds = np.array([annotations.fold(row["group"]) for row in rows])
    model = learn(learnable)
    tuned = choose(model, np.ones(len(rows), bool))
    untouched = np.empty_like(tuned)
    for part in range(annotations.FOLDS):
        mine = folds == part
        untouched[mine] = choose(learn(learnable & ~mine), mine)
    sources = np.array([row["source"] for row in rows])
    plain = np.array(["stretched" not in row for row in rows])
    lines = []
    for source in np.unique(sources):
        mine = np.flatnonzero(plain & (sources == source))
        lines.append([source, len(mine), *(float(right[mine, p[mine, :answers].argmax(1)].mean()) for p in (tuned, untouched))])
    print(markdown.table(["source", "files", "tuned", "untouched"], lines) + "\n")
    best = untouched[:, :answers].argmax(1)
    experts = np.flatnonzero(plain & (sources != "declared"))
    given = zip(untouched[experts, best[experts]].tolist(), right[experts, best[experts]].tolist(), strict=True)
    print("Untouched, of those that experts annotated:\n\n" + markdown.reliability(list(given)) + "\n", flush=True)
    return model


def learn_beat(rows: list[Row], heard: list[Music]) -> Network:
    most = rhythm.CANDIDATES
    x = np.zeros((len(rows), most, len(heard[0].features[0])))
    right = np.zeros((len(rows), most + 1), bool)
    candidates = np.zeros((len(rows), most), bool)
    for i, (row, music) in enumerate(zip(rows, heard, strict=True)):
        n = len(music.periods)
        x[i, :n] = music.features
        right[i, :n] = [is_right(period, row) for period in music.periods]
        candidates[i, :n] = True
        right[i, most] = row["source"] != "declared" and not right[i].any()  # what nobody annotated may be declared wrongly
    scale = 1 / np.append(x[candidates].std(0)[:-1], 1)  # the last is 1
    importance = np.array([IMPORTANCE[row["source"]] * (STRETCHED if "stretched" in row else 1) for row in rows])

    def learn(mine: np.ndarray) -> Network:
        return train(x[mine] * scale, candidates[mine], right[mine], importance[mine])

    def choose(net: Network, mine: np.ndarray) -> np.ndarray:
        return shares(candidates[mine], net.scores(x[mine][candidates[mine]] * scale), net.nothing[0])

    net = compare(rows, right, most, learn, choose)
    return Network(net.weights * scale[:, None], net.out, net.nothing)


def write_beat(net: Network) -> None:
    def line(values: np.ndarray) -> str:
        return "(" + ", ".join(f"{value:.3f}" for value in values.tolist()) + ")"

    text = '"""The weights of network.pyx, as training/tempo.py wrote them."""\n\n# fmt: off\n'
    text += "WEIGHTS = (  # a line for each feature, in the order of tests/rhythm.py\n"
    text += "".join(f"    {line(values)},\n" for values in net.weights)
    text += f")\nOUT = {line(net.out)}\nNOTHING = {net.nothing[0]:.3f}\n"
    WEIGHTS.write_text(text)


def learn_meter(rows: list[Row], heard: list[Music], beat: Network) -> None:
    """`beat` chooses each file's."""
    known = len(rhythm.METERS)
    periods = [m.periods[beat.scores(np.array(m.features)).argmax()] for m in heard]
    features = np.array([rhythm.meter_features(m.sums, at, m.density, m.drums) for m, at in zip(heard, periods, strict=True)])
    x = np.einsum("nf,mk->nmkf", features, np.eye(known)).reshape(len(rows), known, -1) * METER_SCALE
    right = np.array([[f"{row['num']}/{row['den']}" == meter for meter in rhythm.METERS] for row in rows])
    versions = Counter((row["source"], row["group"]) for row in rows)
    importance = np.array([METER_IMPORTANCE[row["source"]] / versions[row["source"], row["group"]] ** 0.5 for row in rows])

    def learn(mine: np.ndarray) -> np.ndarray:
        return fit(x[mine], right[mine], importance[mine])

    weights = compare(rows, right, known, learn, lambda weights, mine: probabilities(weights, x[mine])) * METER_SCALE
    for meter, line in zip(rhythm.METERS, weights.reshape(known, -1), strict=True):
        print(f"[{', '.join(f'{w:.2f}' for w in line)}]  # {meter}")


def stretched(row: Row, by: float) -> Row:
    slower = {name: str(float(row[name]) / by) for name in ("bpm", "bpm_quarter") if row[name]}
    return row | slower | {"stretched": str(by)}


def main(corpus: Path, tables_of_truth: Path) -> None:
    def listened(table: str, rows: list[Row], stretches: tuple[float, ...]) -> tuple[list[Row], list[Music]]:
        pairs = []
        for row in rows:
            versions = [row, *(stretched(row, by) for by in stretches)]
            pairs += zip(versions, listen(corpus / row["relpath"], (1, *stretches)), strict=True)
        pairs = [(row, music) for row, music in pairs if music]
        print(f"### {table}: {sum('stretched' not in row for row, _ in pairs)} of {len(rows)} files have a beat\n", flush=True)
        return [row for row, _ in pairs], [music for _, music in pairs]

    beat = learn_beat(*listened("tempo", annotations.read(tables_of_truth, "tempo", corpus) + declared(corpus, tables_of_truth), STRETCHES))
    write_beat(beat)
    learn_meter(*listened("timesig", annotations.read(tables_of_truth, "timesig", corpus), ()), beat)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
