"""Fit the weights of core/beat.pyx and core/accents.pyx: python accuracy/train_tempo.py CORPUS TRUTH

Both are a choice (a conditional logit, as in train_key.py, which has the fit): of one period among a file's candidates,
and of one meter among those that the program knows. The features come from tests/twin_tempo.py, in plain Python, so
that this takes some minutes. Ticks, tempo events and declared meters are no features.

Prints the share of right answers where the weights saw the file (tuned) and where they saw no version of its piece
(untouched), and the tables of weights.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import hearing  # finds the twins
import numpy as np
import tables
import truth
import twin_tempo
from train_key import fit, probabilities

# Piano music has few pieces, fills are a bar or two long.
IMPORTANCE = {"asap_performance": 0.7, "asap_score": 1.5, "gmd_beat": 1.0, "gmd_fill": 0.2, "pop909_beat_midi": 0.6}
# What keeps to no grid is a performance; it counts for as much as the root of how many there are of its piece.
METER_IMPORTANCE = {"nottingham_abc": 0.1, "asap_performance": 1.0, "asap_score": 1.0, "gmd_beat": 0.5, "gmd_fill": 0.1}
IMPOSSIBLE = -1e9
# Features are made alike before the ridge, which punishes large weights: those of beats to a standard deviation of one, those
# of meters multiplied by 4. With 8, one performance in sixty less is right.
METER_SCALE = 4


@dataclass
class Music:
    periods: list[float]  # frames
    features: list[list[float]]  # of each
    sums: list[list[int]]
    density: float
    drums: float


def listen(path: Path) -> Music | None:
    heard = hearing.hear(path)
    if not heard:
        return None
    found, sums, density = twin_tempo.candidates(heard.onsets, heard.middle, heard.drums)
    return Music([period for period, _ in found], [features for _, features in found], sums, density, heard.drums) if found else None


def is_right(period: float, row: dict[str, str]) -> bool:
    bpm = 60 * twin_tempo.RATE / period
    return any(abs(bpm / float(row[name]) - 1) <= 0.04 for name in ("bpm", "bpm_quarter") if row[name])


def compare(
    rows: list[dict[str, str]],
    x: np.ndarray,
    right: np.ndarray,
    importance: np.ndarray,
    offset: np.ndarray,
    scale: np.ndarray | int,
    answers: int,
) -> np.ndarray:
    """Print what is right, tuned and untouched; returns the weights. The first `answers` of the choices can be an answer."""
    learnable = right.any(1)
    x = x * scale
    folds = np.array([truth.fold(row["group"]) for row in rows])

    def learn(mine: np.ndarray) -> np.ndarray:
        return fit(x[mine], right[mine], importance[mine], offset[mine])

    weights = learn(learnable)
    tuned = probabilities(weights, x, offset)
    untouched = np.empty_like(tuned)
    for part in range(truth.FOLDS):
        mine = folds == part
        untouched[mine] = probabilities(learn(learnable & ~mine), x[mine], offset[mine])
    sources = np.array([row["source"] for row in rows])
    lines = []
    for source in np.unique(sources):
        mine = np.flatnonzero(sources == source)
        lines.append([source, len(mine), *(float(right[mine, p[mine, :answers].argmax(1)].mean()) for p in (tuned, untouched))])
    print(tables.table(["source", "files", "tuned", "untouched"], lines) + "\n")
    best = untouched[:, :answers].argmax(1)
    each = np.arange(len(rows))
    print("Untouched:\n\n" + tables.reliability(list(zip(untouched[each, best].tolist(), right[each, best].tolist(), strict=True))) + "\n")
    return weights * scale


def learn_beat(rows: list[dict[str, str]], heard: list[Music]) -> np.ndarray:
    """The weights of the beat's features. The last candidate is that none of the others is the beat, and the last feature
    is its alone."""
    most = twin_tempo.CANDIDATES
    kinds = len(heard[0].features[0])
    x = np.zeros((len(rows), most + 1, kinds + 1))
    right = np.zeros((len(rows), most + 1), bool)
    offset = np.full((len(rows), most + 1), IMPOSSIBLE)
    for i, (row, music) in enumerate(zip(rows, heard, strict=True)):
        n = len(music.periods)
        x[i, :n, :kinds] = music.features
        right[i, :n] = [is_right(period, row) for period in music.periods]
        offset[i, :n] = 0
    scale = np.append(1 / x[offset == 0].std(0)[:kinds], 1)
    x[:, most, kinds] = 1
    offset[:, most] = 0
    right[:, most] = ~right.any(1)
    weights = compare(rows, x, right, np.array([IMPORTANCE[row["source"]] for row in rows]), offset, scale, most)
    print("WEIGHTS = [" + ", ".join(f"{w:.3f}" for w in weights[:-1]) + f"]\nNOTHING = {weights[-1]:.3f}\n")
    return weights[:-1]


def learn_meter(rows: list[dict[str, str]], heard: list[Music], beat: np.ndarray) -> None:
    """`beat` are the weights that choose each file's."""
    known = len(twin_tempo.METERS)
    features = np.array([twin_tempo.meter_features(m.sums, m.periods[np.argmax(m.features @ beat)], m.density, m.drums) for m in heard])
    x = np.einsum("nf,mk->nmkf", features, np.eye(known)).reshape(len(rows), known, -1)
    right = np.array([[f"{row['num']}/{row['den']}" == meter for meter in twin_tempo.METERS] for row in rows])
    versions = Counter((row["source"], row["group"]) for row in rows)
    importance = np.array([METER_IMPORTANCE[row["source"]] / versions[row["source"], row["group"]] ** 0.5 for row in rows])
    weights = compare(rows, x, right, importance, np.zeros((len(rows), known)), METER_SCALE, known).reshape(known, -1)
    for meter, line in zip(twin_tempo.METERS, weights, strict=True):
        print(f"[{', '.join(f'{w:.2f}' for w in line)}]  # {meter}")


def main(corpus: Path, tables_of_truth: Path) -> None:
    cache: dict[str, Music | None] = {}

    def listened(table: str) -> tuple[list[dict[str, str]], list[Music]]:
        rows = truth.read(tables_of_truth, table, corpus)
        for row in rows:
            if row["relpath"] not in cache:
                cache[row["relpath"]] = listen(corpus / row["relpath"])
        pairs = [(row, music) for row in rows if (music := cache[row["relpath"]])]
        print(f"### {table}: {len(pairs)} of {len(rows)} files have a beat\n")
        return [row for row, _ in pairs], [music for _, music in pairs]

    beat = learn_beat(*listened("tempo"))
    learn_meter(*listened("timesig"), beat)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
