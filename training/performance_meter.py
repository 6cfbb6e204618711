"""How often the meter of recorded performances is right: python -m training.performance_meter [CORPUS [TRUTH]]

Their column meter_estimated comes from notes on tracked beats, by the weights of written music (reference/meter.py). Neither the tracker
nor these weights learn here from versions of the piece; of scores of other pieces the weights do, or of none of the collection. Only the
tempo at which beats are tracked first is the shipped networks'. The pieces are divided in several ways: there are so few that one says
little. Takes as long as training.meter, and writes nothing. The weights learn from the folk tunes of training.folk_tunes if these are in
`folk` beside the corpus.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

import midiopt
from accuracy import ground_truth, markdown
from accuracy.corpus import make_parser, parse_arguments
from accuracy.ground_truth import FOLDS, Row, fold
from midiopt.schema import METERS
from reference.beat import lower_median
from reference.beat_tracker import PlayedNote, Pulses, bars_of, choose_track, group
from reference.meter import TRACKED_TEMPERATURE, tracked_features
from reference.performance import median_distance
from training import beat_tracker
from training.beat_tracker import Performance
from training.logit import Floats, softmax
from training.meter import Files, read_files
from training.performance_tempo import read_performances

DIVISIONS = 4  # of the pieces into FOLDS parts


@dataclass
class Played:
    """A performance and its features."""

    row: Row
    features: list[float]


def put_on_beats(performance: Performance, net: beat_tracker.Network, corpus: Path) -> list[float]:
    """The features of a performance, on beats that a tracker finds."""
    notes = midiopt.notes(corpus / performance.row["relpath"])
    columns = (notes.onset_s, notes.end_s, notes.pitch, notes.velocity, ~notes.is_drum)
    pulses = group([PlayedNote(*values) for values in zip(*(column.tolist() for column in columns), strict=True)])
    scores = net.scores(performance.features).astype(np.float32)
    beats = bars_of(choose_track(Pulses(performance.seconds, scores[:, 0], scores[:, 1]), performance.period))
    median_pitch = lower_median(notes.pitch[~notes.is_drum].tolist())
    return tracked_features(pulses, [at for at, _ in beats], median_distance(beats), median_pitch, float(notes.is_drum.mean()))


def read_played(corpus: Path, truth: Path) -> list[Played]:
    """The performances whose beats and meter are known."""
    meters = {row["relpath"]: row for row in ground_truth.read(truth, "timesig", corpus)}
    fake = [row for row in ground_truth.read(truth, "tempo", corpus) if row["midi_tempo_map"] == "fake" and row["relpath"] in meters]
    performances, nets = read_performances(corpus, fake)
    with ProcessPoolExecutor() as pool:
        features = list(pool.map(partial(put_on_beats, corpus=corpus), performances, nets, chunksize=4))
    rows = [meters[performance.row["relpath"]] for performance in performances]
    return [Played(row, found) for row, found in zip(rows, features, strict=True) if found]


def part_of(group: str, division: int) -> int:
    """The part that a piece belongs to in one of several divisions."""
    return fold(group + "." * division)


def line(name: str, p: Floats, rows: list[Row]) -> list[object]:
    """The line of a table: how many are right, the mean over pieces, and the mean confidence."""
    right = np.array([METERS[best] == ground_truth.time_signature(row) for best, row in zip(p.argmax(1), rows, strict=True)])
    pieces = np.array([row["group"] for row in rows])
    by_piece = float(np.mean([right[pieces == piece].mean() for piece in sorted(set(pieces.tolist()))]))
    return [name, float(right.mean()), by_piece, float(p.max(1).mean())]


def main(corpus: Path, truth: Path) -> None:
    """Print the table."""
    played = read_played(corpus, truth)
    rows, x = [each.row for each in played], np.array([each.features for each in played])
    pieces = [row["group"] for row in rows]
    written, *features = read_files(corpus, truth)
    files = Files(written, *features)
    learnable = np.asarray(files.right.any(1))
    of_scores = np.array([row["source"] == "asap_score" for row in written])
    lines = []
    for division in range(DIVISIONS):
        p = np.zeros((len(x), len(METERS)))
        for part in range(FOLDS):
            mine = np.array([part_of(piece, division) == part for piece in pieces])
            theirs = of_scores & np.array([part_of(row["group"], division) == part for row in written])
            p[mine] = softmax(x[mine] @ files.learn(learnable & ~theirs) / TRACKED_TEMPERATURE)
        lines.append(line(f"untouched, division {division + 1}", p, rows))
    lines.append(line("foreign", softmax(x @ files.learn(learnable & ~of_scores) / TRACKED_TEMPERATURE), rows))
    print(f"{len(x)} performances:\n\n" + markdown.table(["", "right", "mean over pieces", "mean confidence"], lines))


if __name__ == "__main__":
    arguments = parse_arguments(make_parser(__doc__))
    main(arguments.corpus, arguments.truth)
