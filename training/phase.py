"""Fit the weights of core/rhythm/phase_weights.py: python -m training.phase [CORPUS [TRUTH]]

A choice among the positions in the declared quarter where many notes begin (training/logit.py). The songs of POP909 teach where
the beats lie: their annotated chords change on beats. Files of all other collections, whose beats are taken to be on their
quarters, teach when to leave the phase at 0; they weigh ten times as much. Piano transcriptions are left out.

Prints the share of right answers (within 1/16 quarter) with weights that saw the file (tuned), and with weights that saw nothing of
its collection or, for POP909, no song of its part of the cross-validation (untouched). Writes the weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

import midiopt
from accuracy import ground_truth, markdown
from accuracy.corpus import PROJECT, make_parser, parse_arguments
from accuracy.ground_truth import Row
from accuracy.phase import TOLERANCE, annotated_phases, distance, written_files
from reference.beat import FRAME_OFFSET
from reference.phase import MAX_CANDIDATES, phase_choices
from reference.quantization import POSITION_OFFSET, POSITIONS
from training.logit import Bools, Floats, fit, probabilities

UNSHIFTED_IMPORTANCE = 10  # of all files of other collections together, relative to all songs of POP909
WEIGHTS = PROJECT / "src" / "midiopt" / "core" / "rhythm" / "phase_weights.py"


@dataclass
class File:
    """A file to learn from."""

    source: str
    group: str
    features: list[list[float]]
    right: list[bool]


def read_file(corpus: Path, row: Row, phase: float) -> File | None:
    """A file as the choice sees it; None for performances, which have no choice."""
    try:
        facts, notes = midiopt.analyze(corpus / row["relpath"]), midiopt.notes(corpus / row["relpath"])
    except midiopt.MidiError:
        return None
    if not facts.ticks_per_quarter or facts.is_performance is not False:
        return None
    position = np.floor(notes.onset / notes.ticks_per_quarter * POSITIONS + POSITION_OFFSET).astype(int) % POSITIONS
    length = np.where(notes.is_drum, 8, np.minimum(np.floor((notes.end_s - notes.onset_s) * 32 + FRAME_OFFSET), 64)).astype(int)
    lengths = np.bincount(position, length, POSITIONS).astype(int).tolist()
    positions, features = phase_choices(np.bincount(position, minlength=POSITIONS).tolist(), lengths, float(notes.is_drum.mean()))
    return File(row["source"], row["group"], features, [distance(p, phase) <= TOLERANCE for p in positions])


def arrays(files: list[File]) -> tuple[Floats, Bools]:
    """Features and right choices; a choice that a file does not have gets features that no weights like."""
    x = np.zeros((len(files), MAX_CANDIDATES + 1, len(files[0].features[0]) + 1))
    x[:, :, -1] = 1
    right = np.zeros(x.shape[:2], bool)
    for i, file in enumerate(files):
        n = len(file.features)
        x[i, :n, :-1] = file.features
        x[i, :n, -1] = 0
        right[i, :n] = file.right
    return x, right


def main(corpus: Path, truth: Path) -> None:
    """Fit, print a table, write the weights."""
    songs = annotated_phases(truth, corpus)
    others = [(row, 0.0) for row in written_files(corpus, {row["relpath"].split("/")[0] for row, _ in songs})]
    files = [file for row, phase in songs + others if (file := read_file(corpus, row, phase))]
    x, right = arrays(files)
    sources = np.array([file.source for file in files])
    names, counts = np.unique(sources, return_counts=True)
    song_source = songs[0][0]["source"]
    per_file = dict(zip(names.tolist(), counts.tolist(), strict=True))
    total = UNSHIFTED_IMPORTANCE * per_file[song_source] / (len(names) - 1)
    importance = np.array([1.0 if s == song_source else total / max(per_file[s], 60) for s in sources])
    folds = np.array([ground_truth.fold(file.group) for file in files])
    absent = np.where(x[:, :, -1] == 1, -1e9, 0.0)
    learnable = np.asarray(right.any(1))

    def learn(mine: Bools) -> Floats:
        return fit(x[mine][:, :, :-1], right[mine], importance[mine], absent[mine])

    def answers(weights: Floats, mine: Bools) -> Bools:
        best = probabilities(weights, x[mine][:, :, :-1], absent[mine]).argmax(1)
        return np.asarray(right[mine][np.arange(mine.sum()), best])

    weights = learn(learnable)
    lines = []
    for name in names.tolist():
        mine = sources == name
        parts = [mine & (folds == part) for part in range(ground_truth.FOLDS)] if name == song_source else [mine]
        untouched = np.concatenate([answers(learn(learnable & ~part), part) for part in parts])
        lines.append([name, int(mine.sum()), float(answers(weights, mine).mean()), float(untouched.mean())])
    print(markdown.table(["source", "files", "tuned", "untouched"], lines))
    write(weights)


def write(weights: Floats) -> None:
    """Write the module that phase.pyx and reference/phase.py import."""
    rounded = [f"{w:.2f}" for w in weights.tolist()]
    text = '"""The weights of phase.pyx, written by training/phase.py, in the order of reference/phase.py."""\n\n'
    text += f"NOTE_WEIGHTS = ({', '.join(rounded[:4])})\nLENGTH_WEIGHTS = ({', '.join(rounded[4:8])})\n"
    text += f"ON_QUARTER = {rounded[8]}\nON_EIGHTH = {rounded[9]}\nON_SIXTEENTH = {rounded[10]}\nON_THIRTY_SECOND = {rounded[11]}\n"
    WEIGHTS.write_text(text)


if __name__ == "__main__":
    arguments = parse_arguments(make_parser(__doc__))
    main(arguments.corpus, arguments.truth)
