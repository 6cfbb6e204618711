"""Fit the weights of core/rhythm/meter_quantized.pyx: python -m training.meter CORPUS TRUTH

A choice among the meters that the program knows (a conditional logit, as in key.py, which has the fit), for files
whose notes keep to the quarters that they declare. The features come from tests/meter.py, in plain Python, so
that this takes some minutes. Declared meters are no features.

Of the rest of the corpus, which nobody annotated, files that declare one signature throughout are learnt from too, half as
much, as if it were right: without them the program knows folk songs and grooves, and hears a third of other music in 2/4.

Tunes that begin with a rest, mostly before an upbeat, are learnt from twice: as they are, and begun with their first
note, as other programs write them. Prints the share of right answers of both, where the weights saw the file (tuned)
and where they saw no version of its piece (untouched), and the table of weights.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import midiopt
from accuracy import annotations, markdown
from reference import meter, rhythm
from training import features  # finds the twins
from training.key import RIDGE, fit, probabilities

# A tune counts once; scores of piano music are few, fills are a bar or two of one drummer after another.
IMPORTANCE = {"nottingham_abc": 1.0, "asap_score": 2.0, "gmd_beat": 0.5, "gmd_fill": 0.1, "declared": 0.5}
MOST_DECLARED = 250  # of each folder of the corpus
FEWEST_NOTES = 32  # of those
BEGUN_LATE = 0.3  # how much of a tune's importance its second version has
# Of features that are divided by their standard deviations. With 30 one tune in two hundred less is right, with 2 those above
# a confidence of 0.8 less often.
SHRINK = 8


@dataclass
class File:
    source: str
    group: str
    meter: str
    features: list[float]
    begun: list[float]  # the same, begun with the first note


def listen(path: Path) -> tuple[list[float], list[float]] | None:
    heard = features.hear(path)
    if not heard or not heard.division.ticks_per_quarter or rhythm.grid_facts(heard.onsets).get("map_refuted", True):
        return None
    notes = heard.sequence.notes
    first = min(n.onset for n in notes)
    begun = [replace(n, onset=n.onset - first, end=n.end - first) for n in notes]
    plain, late = (meter.features(each, heard.middle, heard.drums, heard.division.quarter) for each in (notes, begun))
    return (plain, late or plain) if plain else None


def declared(corpus: Path, tables_of_truth: Path) -> list[dict[str, str]]:
    """Rows like those of timesig.tsv for files in no table, by the one signature that each declares."""
    known = {row["relpath"] for table in ("timesig", "tempo", "key", "keysig_sharps") for row in annotations.read(tables_of_truth, table, corpus)}
    paths = (str(path.relative_to(corpus)) for path in corpus.rglob("*") if path.suffix.lower() in (".mid", ".midi"))
    rows = annotations.thin([{"relpath": path, "source": path.split("/")[0]} for path in paths if path not in known], MOST_DECLARED)
    found = []
    for row in rows:
        try:
            facts = midiopt.analyze(corpus / row["relpath"])
        except midiopt.MidiError:
            continue
        if facts.time_signature in meter.METERS and not facts.time_signature_changes and facts.note_count >= FEWEST_NOTES:
            num, den = facts.time_signature.split("/")
            found.append({"relpath": row["relpath"], "source": "declared", "group": row["relpath"], "num": num, "den": den})
    return found


def read_files(corpus: Path, tables_of_truth: Path) -> list[File]:
    rows = [*annotations.read(tables_of_truth, "timesig", corpus), *declared(corpus, tables_of_truth)]
    heard = ((row, listen(corpus / row["relpath"])) for row in rows if row["source"] in IMPORTANCE)
    files = [File(row["source"], row["group"], f"{row['num']}/{row['den']}", *music) for row, music in heard if music]
    print(f"{len(files)} of {len(rows)} files keep to their quarters\n")
    return files


def main(corpus: Path, tables_of_truth: Path) -> None:
    files = read_files(corpus, tables_of_truth)
    known = len(meter.METERS)
    plain = np.array([file.features for file in files])
    spread = np.maximum(plain.std(0), 1e-3) / np.sqrt(RIDGE / SHRINK)
    spread[0] = 1
    begun = np.array([file.begun for file in files])
    x = [np.einsum("nf,mk->nmkf", each / spread, np.eye(known)).reshape(len(files), known, -1) for each in (plain, begun)]
    right = np.array([[file.meter == name for name in meter.METERS] for file in files])
    importance = np.array([IMPORTANCE[file.source] for file in files])
    late = np.array([file.features != file.begun for file in files])
    folds = np.array([annotations.fold(file.group) for file in files])

    def learn(mine: np.ndarray) -> np.ndarray:
        again = mine & late
        weights = np.concatenate([(importance * np.where(late, 1 - BEGUN_LATE, 1))[mine], importance[again] * BEGUN_LATE])
        return fit(np.concatenate([x[0][mine], x[1][again]]), np.concatenate([right[mine], right[again]]), weights)

    learnable = right.any(1)
    weights = learn(learnable)
    tuned = [probabilities(weights, each) for each in x]
    untouched = [np.empty_like(p) for p in tuned]
    for part in range(annotations.FOLDS):
        mine = folds == part
        parts = learn(learnable & ~mine)
        for p, each in zip(untouched, x, strict=True):
            p[mine] = probabilities(parts, each[mine])
    lines = []
    for source in IMPORTANCE:
        mine = np.flatnonzero([file.source == source for file in files])
        lines.append([source, len(mine), *(float(right[mine, p[mine].argmax(1)].mean()) for p in (*tuned, *untouched))])
    print(markdown.table(["source", "files", "tuned", "tuned, begun late", "untouched", "untouched, begun late"], lines) + "\n")
    annotated = np.flatnonzero([file.source != "declared" for file in files])
    answers = zip(untouched[0].max(1)[annotated].tolist(), right[annotated, untouched[0].argmax(1)[annotated]].tolist(), strict=True)
    print("Untouched, of those that experts annotated:\n\n" + markdown.reliability(list(answers)) + "\n")
    for name, line in zip(meter.METERS, weights.reshape(known, -1) / spread, strict=True):
        print(f"{name}: [{', '.join(f'{w:.2f}' for w in line)}]")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
