"""How often the tempo of recorded performances is right: python -m training.performance_tempo [CORPUS [TRUTH]]

Their column bpm_onsets is the tempo networks' where these are sure, else that of the tracked beats, at the octave of the networks'
(reference/beat_tracker.py). The tracker never learns from versions of the piece, the tempo networks neither from these (untouched) nor from
anything of the collection (foreign). Takes as long as training.beat, and writes nothing.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from accuracy import ground_truth, markdown
from accuracy.corpus import make_parser, parse_arguments
from accuracy.ground_truth import FOLDS, Row, fold
from accuracy.tempo import ACC1_FACTORS, ACC2_FACTORS, STEADY_IBI_CV, is_near
from reference.beat import FRAME_RATE, MAX_CANDIDATES
from reference.beat_tracker import Pulses, bars_of, choose_track
from reference.performance import UNSURE, median_distance, tracked_tempo
from training import beat_tracker
from training.beat import STRETCHES, Choices, declared_rows, with_evidence
from training.beat_tracker import Performance, read_performance
from training.held_out import collections, hold_out
from training.logit import Floats

FACTORS = (ACC1_FACTORS, ACC2_FACTORS)


def column(performance: Performance, net: beat_tracker.Network, confidence: float) -> float:
    """bpm_onsets of a performance, whose period is that of the tempo networks."""
    bpm = 60 / performance.period
    if confidence > UNSURE:
        return bpm
    scores = net.scores(performance.features).astype(np.float32)
    track = choose_track(Pulses(performance.seconds, scores[:, 0], scores[:, 1]), performance.period)
    return tracked_tempo(median_distance(bars_of(track)), bpm)


def mean_of_collections(rows: list[Row], acc: Floats, of_performances: Floats) -> Floats:
    """The mean of acc1 and acc2 over the collections, fills left out, with those of the performances as given."""
    labels = np.array([name if "kind" in row else row["source"] for row, name in zip(rows, collections(rows), strict=True)])
    shares = {label: acc[labels == label].mean(0) for label in set(labels.tolist()) - {"gmd_fill"}}
    return np.asarray(np.mean([*(shares | {"asap_performance": of_performances}).values()], 0))


def read_performances(corpus: Path, rows: list[Row]) -> tuple[list[Performance], list[beat_tracker.Network]]:
    """The performances whose beats are known, and for each a tracker that did not learn from its piece."""
    with ProcessPoolExecutor() as pool:
        found = [p for p in pool.map(partial(read_performance, corpus=corpus), rows, chunksize=4) if p]
    parts = [fold(p.row["group"]) for p in found]
    nets = [beat_tracker.train([p for p, part in zip(found, parts, strict=True) if part != k]) for k in range(FOLDS)]
    return found, [nets[part] for part in parts]


def main(corpus: Path, truth: Path) -> None:
    """Print the table."""
    annotated = ground_truth.read(truth, "tempo", corpus)
    rows, evidence = with_evidence(corpus, "tempo", annotated + declared_rows(corpus, truth), STRETCHES)
    choices = Choices(rows, evidence)
    _, results = hold_out(rows, np.asarray(choices.right.any(1)), choices.learn, choices.choose)
    own = [i for i, row in enumerate(rows) if "stretched" not in row]
    at = {rows[i]["relpath"]: i for i in own}
    fake = [row for row in annotated if row["midi_tempo_map"] == "fake" and row["relpath"] in at]
    performances, nets = read_performances(corpus, fake)
    steady = np.array([float(p.row["ibi_cv"]) < STEADY_IBI_CV[0] for p in performances])
    lines: list[list[object]] = []
    for way, p in (("untouched", results.untouched), ("foreign", results.foreign)):
        best = p[:, :MAX_CANDIDATES].argmax(1)
        acc = np.stack([choices.right[own, best[own]], choices.near[own, best[own]]], 1)
        files = [at[each.row["relpath"]] for each in performances]
        periods = [evidence[i].candidates[best[i]].period / FRAME_RATE for i in files]
        first = [replace(each, period=period) for each, period in zip(performances, periods, strict=True)]
        with ProcessPoolExecutor() as pool:
            columns = list(pool.map(column, first, nets, p[files, best[files]], chunksize=4))
        for name, tempos in (("tempo networks", [60 / period for period in periods]), ("column", columns)):
            right = np.array([[is_near(bpm, each.row, f) for f in FACTORS] for bpm, each in zip(tempos, first, strict=True)])
            means = (right.mean(0), right[steady].mean(0), mean_of_collections([rows[i] for i in own], acc, right.mean(0)))
            lines.append([f"{way}, {name}", *(f"{acc1:.3f} / {acc2:.3f}" for acc1, acc2 in means)])
    print(f"acc1 / acc2 of {len(performances)} performances, and the mean of the collections without fills:\n")
    print(markdown.table(["", "performances", f"ibi_cv < {STEADY_IBI_CV[0]}", "collections"], lines))


if __name__ == "__main__":
    arguments = parse_arguments(make_parser(__doc__))
    main(arguments.corpus, arguments.truth)
