"""Fit the weights of core/rhythm/meter_quantized_weights.py: python -m training.meter [CORPUS [TRUTH]]

A choice among the meters of schema.METERS (training/logit.py), for files whose notes keep to the quarters that they
declare. The features come from reference/meter.py in plain Python, so this takes some minutes. Declared meters are no
features.

Files that nobody annotated but that declare one time signature throughout are learnt from too, with half the weight.
Without them the model knows folk songs and grooves only, and hears a third of other music in 2/4.

Tunes that begin with a rest, mostly before an upbeat, are learnt from in two versions: as they are, and shifted so that
they begin with their first note, as other programs write them. Prints the share of right answers of both versions, with
weights that saw the file (tuned) and that saw no version of its piece (untouched), and the weights.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import midiopt
from accuracy import ground_truth, markdown
from accuracy.corpus import make_parser, parse_arguments
from accuracy.ground_truth import Row
from midiopt.schema import METERS
from reference.meter import quantized_features
from reference.quantization import quantization_facts
from training.features import read_music
from training.logit import RIDGE, Bools, Floats, fit, probabilities

# A tune counts once; scores of piano music are few, fills are a bar or two of the same drummers.
IMPORTANCE = {"nottingham_abc": 1.0, "asap_score": 2.0, "gmd_beat": 0.5, "gmd_fill": 0.1, "declared": 0.5}
MAX_DECLARED = 250  # files per folder of the corpus that nobody annotated
MIN_NOTES = 32  # of those
SHIFTED_SHARE = 0.3  # of a tune's importance that its shifted version has
# The ridge on features divided by their standard deviations. With 30 one tune in 200 fewer is right; with 2 answers with a
# confidence above 0.8 are wrong more often.
FEATURE_RIDGE = 8


@dataclass
class File:
    """A file to learn from."""

    source: str
    group: str
    meter: str
    features: list[float]
    shifted: list[float]  # features of the version that begins with the first note


def features_of(path: Path) -> tuple[list[float], list[float]] | None:
    """The features of a file, and of its shifted version; None unless its notes keep to the declared quarters."""
    music = read_music(path)
    if not music or not music.division.ticks_per_quarter or quantization_facts(music.onsets).get("tempo_map_ignored", True):
        return None
    notes = music.sequence.notes
    first = min(n.onset for n in notes)
    versions = notes, [replace(n, onset=n.onset - first, end=n.end - first) for n in notes]
    plain, shifted = (quantized_features(version, music.median_pitch, music.drum_share, music.sequence.quarter) for version in versions)
    return (plain, shifted or plain) if plain else None


def declared_rows(corpus: Path, truth: Path) -> list[Row]:
    """Rows like those of timesig.tsv for files in no table, from the one time signature that each declares."""
    tables = ("timesig", "tempo", "key", "keysig_sharps")
    annotated = {row["relpath"] for table in tables for row in ground_truth.read(truth, table, corpus)}
    paths = (str(path.relative_to(corpus)) for path in corpus.rglob("*") if path.suffix.lower() in (".mid", ".midi"))
    candidates = [{"relpath": path, "source": path.split("/")[0]} for path in paths if path not in annotated]
    found = []
    for row in ground_truth.thin(candidates, MAX_DECLARED):
        try:
            facts = midiopt.analyze(corpus / row["relpath"])
        except midiopt.MidiError:
            continue
        if facts.time_signature in METERS and not facts.time_signature_changes and facts.note_count >= MIN_NOTES:
            num, den = facts.time_signature.split("/")
            found.append({"relpath": row["relpath"], "source": "declared", "group": row["relpath"], "num": num, "den": den})
    return found


def read_files(corpus: Path, truth: Path) -> list[File]:
    """All annotated and declared files whose notes keep to the declared quarters."""
    rows = [*ground_truth.read(truth, "timesig", corpus), *declared_rows(corpus, truth)]
    files = []
    for row in rows:
        if row["source"] in IMPORTANCE and (features := features_of(corpus / row["relpath"])):
            files.append(File(row["source"], row["group"], ground_truth.time_signature(row), *features))
    print(f"{len(files)} of {len(rows)} files keep to their quarters\n", flush=True)
    return files


def main(corpus: Path, truth: Path) -> None:
    """Fit, and print tables and weights."""
    files = read_files(corpus, truth)
    plain = np.array([file.features for file in files])
    shifted = np.array([file.shifted for file in files])
    scale = np.maximum(plain.std(0), 1e-3) / np.sqrt(RIDGE / FEATURE_RIDGE)
    scale[0] = 1
    # Each meter has weights of its own: features x meters are laid out in one row per choice.
    x = [np.einsum("nf,mk->nmkf", each / scale, np.eye(len(METERS))).reshape(len(files), len(METERS), -1) for each in (plain, shifted)]
    right = np.array([[file.meter == name for name in METERS] for file in files])
    importance = np.array([IMPORTANCE[file.source] for file in files])
    has_rest = np.array([file.features != file.shifted for file in files])
    folds = np.array([ground_truth.fold(file.group) for file in files])

    def learn(mine: Bools) -> Floats:
        twice = mine & has_rest
        weights = np.concatenate([(importance * np.where(has_rest, 1 - SHIFTED_SHARE, 1))[mine], importance[twice] * SHIFTED_SHARE])
        return fit(np.concatenate([x[0][mine], x[1][twice]]), np.concatenate([right[mine], right[twice]]), weights)

    learnable = np.asarray(right.any(1))
    weights = learn(learnable)
    tuned = [probabilities(weights, each) for each in x]
    untouched = [np.empty_like(p) for p in tuned]
    for part in range(ground_truth.FOLDS):
        mine = folds == part
        part_weights = learn(learnable & ~mine)
        for p, each in zip(untouched, x, strict=True):
            p[mine] = probabilities(part_weights, each[mine])
    print_results(files, right, [*tuned, *untouched])
    for name, line in zip(METERS, weights.reshape(len(METERS), -1) / scale, strict=True):
        print(f"{name}: [{', '.join(f'{w:.2f}' for w in line)}]")


def print_results(files: list[File], right: Bools, results: list[Floats]) -> None:
    """The share of right answers per source: tuned, tuned shifted, untouched, untouched shifted; and the reliability."""
    lines = []
    for source in IMPORTANCE:
        mine = np.flatnonzero([file.source == source for file in files])
        lines.append([source, len(mine), *(float(right[mine, p[mine].argmax(1)].mean()) for p in results)])
    print(markdown.table(["source", "files", "tuned", "tuned, shifted", "untouched", "untouched, shifted"], lines) + "\n")
    untouched = results[2]
    annotated = np.flatnonzero([file.source != "declared" for file in files])
    best = untouched.argmax(1)[annotated]
    answers = zip(untouched.max(1)[annotated].tolist(), right[annotated, best].tolist(), strict=True)
    print("Untouched files that experts annotated:\n\n" + markdown.reliability(list(answers)) + "\n")


if __name__ == "__main__":
    arguments = parse_arguments(make_parser(__doc__))
    main(arguments.corpus, arguments.truth)
