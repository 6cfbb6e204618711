"""Fit the weights of core/rhythm/meter_quantized_weights.py: python -m training.meter [CORPUS [TRUTH]]

A choice among the meters of schema.METERS (training/logit.py), for files whose notes keep to the quarters that they
declare. The features come from reference/meter.py in plain Python, so this takes half an hour of all processors. Declared meters
are no features.

Files that nobody annotated but that declare one time signature throughout are learnt from too, with half the weight, and
folk tunes of training/folk_tunes.py, with a tenth of the weight.

Hardly any file is in 5/4 or 7/8, so bars of 4/4 are reshaped to these: the last quarter twice, and without the last eighth.
Tunes that begin with a rest, mostly before an upbeat, are learnt from in two versions: as they are, and shifted so that they begin
with their first note, as other programs write them.

Prints the share of right answers (training/held_out.py), and writes the weights.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import midiopt
from accuracy import ground_truth
from accuracy.corpus import all_folders, make_parser, midi_files, parse_arguments
from accuracy.declared import MIN_NOTES
from accuracy.ground_truth import Row
from midiopt.schema import METERS
from reference.meter import BAR_LENGTHS, INTERVALS, LAGS, quantized_features
from reference.quantization import quantization_facts
from reference.sequence import Note
from training.features import Music, read_music
from training.held_out import collection, collections, confidence_table, hold_out, shares
from training.logit import RIDGE, Bools, Floats, fit_by_choice, softmax
from training.meter_weights import write_weights

# A tune counts once; scores of piano music are few, fills are a bar or two of the same drummers.
IMPORTANCE = {"nottingham_abc": 1.0, "asap_score": 2.0, "gmd_beat": 0.5, "gmd_fill": 0.1, "declared": 0.5, "folk": 0.1, "reshaped": 0.1}
MAX_DECLARED = 1500  # files per folder of the corpus that nobody annotated
MAX_RESHAPED = 80  # per collection and meter
SHIFTED_SHARE = 0.3  # of a tune's importance that its shifted version has
# The ridge on features divided by their standard deviations. With 30 one tune in 200 fewer is right; with 2 answers with a
# confidence above 0.8 are wrong more often.
FEATURE_RIDGE = 8
# 2/4 must be so many times as probable as any other meter: on paper it differs from 4/4 by convention only, and most music is in 4/4.
# With 1 in place of 5 only 0.84 of POP909 are heard in 4/4 instead of 0.95, and 0.007 more of Nottingham's tunes are right.
# A melody alone is exempt: most are tunes, of which many are in 2/4. So 0.73 of the declared files of `more/` that are not in 4/4 are
# right instead of 0.65 without their collections, and 0.960 instead of 0.963 of foreign songs in 4/4; no song of POP909 changes.
MIN_ODDS_OF_2_4 = 5.0
MELODY = 2  # the feature that is 1 for a melody alone
# Scores are divided by it: the mean logarithm of the probability of the right answer of foreign files is highest at 1.2.
TEMPERATURE = 1.2


@dataclass
class Versions:
    """The features of the versions of a file."""

    plain: list[float]
    shifted: list[float]  # begins with the first note
    reshaped: dict[str, list[float]]  # meter -> a version in 4/4 reshaped to it


def in_5_4(quarter: float) -> list[float]:
    """Where a position in quarters of 4/4 comes to lie in 5/4: the last quarter of each bar is played twice."""
    bar, position = divmod(quarter, 4)
    return [5 * bar + position, 5 * bar + position + 1] if position >= 3 else [5 * bar + position]


def in_7_8(quarter: float) -> list[float]:
    """The same in 7/8: without the last eighth."""
    bar, position = divmod(quarter, 4)
    return [3.5 * bar + position] if position < 3.5 else []


def reshape(notes: list[Note], quarter: float, place: Callable[[float], list[float]]) -> list[Note]:
    """Notes of 4/4 in another meter; they keep their lengths."""
    onsets = [(note, round(at * quarter)) for note in notes for at in place(note.onset / quarter)]
    return [replace(note, onset=onset, end=onset + note.end - note.onset) for note, onset in onsets]


RESHAPED = {"5/4": in_5_4, "7/8": in_7_8}


def features_of(music: Music, notes: list[Note]) -> list[float]:
    """The features of some notes of a file."""
    return quantized_features(notes, music.median_pitch, music.drum_share, music.sequence.quarter) if notes else []


def read_versions(path: Path, is_reshaped: bool) -> Versions | None:
    """The features of a file; None unless its notes keep to the declared quarters."""
    music = read_music(path)
    if not music or not music.division.ticks_per_quarter or quantization_facts(music.onsets).get("tempo_map_ignored", True):
        return None
    notes = music.sequence.notes
    first = min(n.onset for n in notes)
    plain = features_of(music, notes)
    shifted = features_of(music, [replace(n, onset=n.onset - first, end=n.end - first) for n in notes])
    quarter = music.sequence.quarter
    reshaped = {meter: features_of(music, reshape(notes, quarter, place)) for meter, place in RESHAPED.items() if is_reshaped}
    return Versions(plain, shifted or plain, {meter: each for meter, each in reshaped.items() if each}) if plain else None


def declared_rows(corpus: Path, truth: Path) -> list[Row]:
    """Rows like those of timesig.tsv for folders without annotations, from the one time signature that each file declares."""
    tables = ("timesig", "tempo", "key", "keysig_sharps")
    annotated = {row["relpath"].split("/")[0] for table in tables for row in ground_truth.read(truth, table, corpus)}
    candidates = []
    for folder in all_folders(corpus):
        if folder.name not in annotated:
            candidates += [{"relpath": os.path.relpath(path, corpus), "source": folder.name} for path in midi_files(folder)]
    found = []
    known = set()
    for row in ground_truth.thin(candidates, MAX_DECLARED):
        try:
            facts = midiopt.analyze(corpus / row["relpath"])
        except midiopt.MidiError:
            continue
        if facts.time_signature and not facts.time_signature_changes and facts.note_count >= MIN_NOTES and facts.notes_hash not in known:
            known.add(facts.notes_hash)
            num, den = facts.time_signature.split("/")
            source = "folk" if collection(row) == "folk" else "declared"
            found.append({"relpath": row["relpath"], "source": source, "group": row["relpath"], "num": num, "den": den})
    return found


def read_files(corpus: Path, truth: Path) -> tuple[list[Row], list[list[float]], list[list[float]]]:
    """All files whose notes keep to the declared quarters, and reshaped ones: rows, features, and those of the shifted version."""
    rows = [row for row in ground_truth.read(truth, "timesig", corpus) if row["source"] in IMPORTANCE] + declared_rows(corpus, truth)
    in_4_4 = [row for row in rows if ground_truth.time_signature(row) == "4/4" and not row["source"].startswith(("gmd", "asap"))]
    chosen = {row["relpath"] for row in ground_truth.thin([row | {"source": collection(row)} for row in in_4_4], MAX_RESHAPED)}
    paths = [corpus / row["relpath"] for row in rows]
    with ProcessPoolExecutor() as pool:
        read = list(pool.map(read_versions, paths, [row["relpath"] in chosen for row in rows], chunksize=16))
    files = [(row, versions.plain, versions.shifted) for row, versions in zip(rows, read, strict=True) if versions]
    print(f"{len(files)} of {len(rows)} files keep to their quarters\n", flush=True)
    for row, versions in zip(rows, read, strict=True):
        for meter, each in versions.reshaped.items() if versions else ():
            num, den = meter.split("/")
            files.append((row | {"source": "reshaped", "num": num, "den": den}, each, each))
    return [row for row, _, _ in files], [plain for _, plain, _ in files], [shifted for _, _, shifted in files]


class Files:
    """Files of written music, and the weights that are learnt from them."""

    def __init__(self, rows: list[Row], plain: list[list[float]], shifted: list[list[float]]) -> None:
        """Collect the features of both versions, and the right meters."""
        self.plain, self.shifted = np.array(plain), np.array(shifted)
        self.meters = np.array([ground_truth.time_signature(row) for row in rows])
        self.right = self.meters[:, None] == np.array(METERS)
        self.scale = np.maximum(self.plain.std(0), 1e-3) / np.sqrt(RIDGE / FEATURE_RIDGE)
        self.scale[0] = 1
        self.scale[MELODY] = np.inf  # not fitted
        self.importance = np.array([IMPORTANCE[row["source"]] for row in rows])
        self.has_rest = np.asarray((self.plain != self.shifted).any(1))

    def learn(self, mine: Bools) -> Floats:
        """The weights, kinds x meters, of some files."""
        twice = mine & self.has_rest
        weights = (self.importance * np.where(self.has_rest, 1 - SHIFTED_SHARE, 1))[mine], self.importance[twice] * SHIFTED_SHARE
        features = np.concatenate([self.plain[mine], self.shifted[twice]]) / self.scale
        found = fit_by_choice(features, np.concatenate([self.right[mine], self.right[twice]]), np.concatenate(weights))
        found = found / self.scale[:, None]
        found[[0, MELODY], METERS.index("2/4")] += np.array([-1, 1]) * math.log(MIN_ODDS_OF_2_4)
        return np.asarray(found / TEMPERATURE)

    def choose(self, weights: Floats, mine: Bools) -> Floats:
        """The probabilities of the meters of some files, as they are and shifted."""
        return np.concatenate([softmax(each[mine] @ weights) for each in (self.plain, self.shifted)], 1)


def main(corpus: Path, truth: Path) -> None:
    """Fit, print tables, write the weights."""
    rows, *features = read_files(corpus, truth)
    files = Files(rows, *features)
    right = files.right
    weights, results = hold_out(rows, np.asarray(right.any(1)), files.learn, files.choose)
    sources = [row["source"] if row["source"] != "declared" else name for row, name in zip(rows, collections(rows), strict=True)]
    labels = [f"reshaped to {meter}" if source == "reshaped" else source for source, meter in zip(sources, files.meters, strict=True)]
    columns = {name: (p[:, : len(METERS)], right) for name, p in vars(results).items()}
    columns |= {f"{name}, shifted": (p[:, len(METERS) :], right) for name, p in vars(results).items()}
    print(shares(labels, columns) + "\n")
    print("Foreign:\n\n" + confidence_table(labels, results.foreign, right) + "\n", flush=True)
    groups = [(3, "constant; share of drums; 1 for a melody alone"), (len(INTERVALS), "INTERVALS between onsets")]
    groups += [(len(BAR_LENGTHS), f"{end}, at BAR_LENGTHS") for end in ("the beginning", "the end")]
    groups += [(len(LAGS), f"{notes}, at LAGS") for notes in ("long notes", "low notes", "notes on top")]
    write_weights("meter_quantized", "training/meter.py", METERS, groups, weights.T)


if __name__ == "__main__":
    arguments = parse_arguments(make_parser(__doc__))
    main(arguments.corpus, arguments.truth)
