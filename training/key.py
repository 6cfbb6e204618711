"""Fit the weights of core/harmony/key_weights.py: python -m training.key [CORPUS [TRUTH]]

A choice among the 24 keys (training/logit.py). Where only the sharps are known, both keys with that signature are right.

Prints the share of right answers with weights that saw the file (tuned), that saw no version of its piece (untouched), and
that saw nothing of its collection (foreign); the reliability of the confidence for several HALF_CONFIDENCE_NOTES; and the
weights, which go into core/harmony/key_weights.py.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from accuracy import ground_truth, markdown
from accuracy.corpus import make_parser, parse_arguments
from accuracy.key import signature, true_key
from midiopt.core import inspection
from midiopt.core.analyzer import Analyzer
from midiopt.errors import MidiError
from midiopt.rows.batch import ANALYSES_DTYPE
from training.logit import Bools, Floats, fit, probabilities
from training.medleys import medleys

NOTE_KINDS = 6  # kinds of evidence from the notes; the four others come from the declaration
# Makes differences in evidence comparable before the ridge, which penalizes large weights: a correlation differs by 1/20
# between likely keys, a share by 1/5.
SCALE = np.array([20, 20, 5, 5, 10, 3, 1, 1, 1, 1])
LOOP_SCALE = np.array([20, 3, 3, 3, 3, 3])
# Piano music has few pieces; without a triple weight folk tunes alone would decide. The chord loops are often in more than
# one key. Medleys should teach what a change of key means and nothing else.
IMPORTANCE = {
    "pop909_key_audio": 1.5,
    "wtc_bwv_number": 3,
    "asap_performance": 3,
    "asap_score": 3,
    "free_midi_chords_prog": 0.5,
    "medley": 0.2,
}
CHORD_LOOPS = "free_midi_chords_prog"
HALF_CONFIDENCE_NOTES = (0, 5, 10, 15, 20, 30, 40)  # tried: with this many notes the weights count half in the confidence
HALF_CONFIDENCE_LOOP_NOTES = 3
DECLARED_FILES = 100  # number of files that each source counts for when declarations are weighted
SIGNATURES = np.array([signature(key) for key in range(24)])


@dataclass
class File:
    """A file to learn from."""

    source: str
    group: str
    evidence: Floats  # 24 keys x kinds
    right: Bools  # 24 keys
    notes: int  # pitched
    importance: float
    loop: Floats | None = None  # 24 keys x kinds, of a chord loop


def key_evidence(analyzer: Analyzer, data: bytes) -> tuple[Floats, int]:
    """The evidence for each key, and the number of pitched notes."""
    rows = bytearray()
    analyzer.analyze(data, bytes(16), 0, rows, bytearray())
    facts = np.frombuffer(rows, ANALYSES_DTYPE)[0]
    return np.array(inspection.key_evidence(analyzer)), int(facts["note_count"] - facts["drum_note_count"])


def read_files(corpus: Path, truth: Path) -> list[File]:
    """All annotated files, each piece of a source counting as one file, and medleys."""
    analyzer = Analyzer()
    rows = [*ground_truth.read(truth, "key", corpus), *ground_truth.read(truth, "keysig_sharps", corpus)]
    versions = Counter((row["source"], row["group"]) for row in rows)
    files, seen = [], set()
    for row in rows:
        loop = row["source"] == CHORD_LOOPS  # the same loop in twelve keys: one of them is enough
        if loop and row["group"] in seen:
            continue
        seen.add(row["group"])
        try:
            evidence, notes = key_evidence(analyzer, (corpus / row["relpath"]).read_bytes())
        except MidiError:
            continue
        right = np.arange(24) == true_key(row) if "mode" in row else np.equal(SIGNATURES, int(row["sharps"]) % 12)
        share = 1 if loop else versions[row["source"], row["group"]]
        files.append(File(row["source"], row["group"], evidence, right, notes, IMPORTANCE.get(row["source"], 1) / share))
        if loop and (of_loop := inspection.loop_evidence(analyzer)) is not None:
            files[-1].loop = np.array(of_loop)
    for medley in medleys(corpus, rows):
        evidence, notes = key_evidence(analyzer, medley.data)
        files.append(File("medley", medley.group, evidence, np.arange(24) == medley.key, notes, IMPORTANCE["medley"]))
    return files


def held_out(parts: Floats, evidence: Floats, right: Bools, importance: Floats) -> Floats:
    """The probabilities for the files of each part, with weights fitted to all other parts."""
    p = np.empty(evidence.shape[:2])
    for part in np.unique(parts):
        mine = parts == part
        p[mine] = probabilities(fit(evidence[~mine], right[~mine], importance[~mine]), evidence[mine])
    return p


def print_right_answers(sources: Floats, right: Bools, results: dict[str, Floats]) -> None:
    """The share of right answers per source and result."""
    rows = []
    for source in np.unique(sources):
        mine = np.flatnonzero(sources == source)
        rows.append([source, len(mine), *(float(right[mine, p[mine].argmax(1)].mean()) for p in results.values())])
    print(markdown.table(["source", "files", *results], rows))


def fit_declarations(declared: Floats, untouched: Floats, right: Bools, sources: Floats, importance: Floats) -> Floats:
    """The weights of declarations on top of `untouched`, the log probabilities from the notes; each source counts the same."""
    some = declared.any((1, 2))
    balanced = importance.copy()
    for source in np.unique(sources[some]):
        mine = some & (sources == source)
        balanced[mine] *= DECLARED_FILES / balanced[mine].sum()
    return fit(declared[some], right[some], balanced[some], untouched[some])


def fit_loops(files: list[File]) -> None:
    """The weights of chord loops, and how often they are right for progressions that they did not see."""
    loops = [file for file in files if file.loop is not None]
    evidence = np.array([file.loop for file in loops]) * LOOP_SCALE
    right, ones = np.array([file.right for file in loops]), np.ones(len(loops))
    p = held_out(np.array([ground_truth.fold(file.group) for file in loops]), evidence, right, ones)
    notes = np.array([file.notes for file in loops])
    p = probabilities(np.zeros(1), np.zeros((*p.shape, 1)), np.log(p) * (notes / (notes + HALF_CONFIDENCE_LOOP_NOTES))[:, None])
    answers = [(float(row.max()), bool(good[row.argmax()])) for row, good in zip(p, right, strict=True)]
    print(f"\n{len(loops)} loops, untouched: {np.mean([good for _, good in answers]):.3f} right\n\n{markdown.reliability(answers)}")
    print("LOOP_WEIGHTS = (" + ", ".join(f"{w:.2f}" for w in fit(evidence, right, ones) * LOOP_SCALE) + ")")


def print_confidence(scores: Floats, right: Bools, sources: Floats, notes: Floats) -> None:
    """The log likelihood and the reliability of the confidence for each of HALF_CONFIDENCE_NOTES."""
    per_source = np.array([1 / (sources == source).sum() for source in sources])
    for half in HALF_CONFIDENCE_NOTES:
        trusted = scores * (notes / (notes + half + 1e-9))[:, None]
        p = probabilities(np.zeros(1), np.zeros((*scores.shape, 1)), trusted)
        likelihood = float((per_source * np.log((p * right).sum(1))).sum())
        agreed = right[np.arange(len(p)), p.argmax(1)]
        answers = list(zip(p.max(1).tolist(), agreed.tolist(), strict=True))
        print(f"\nHALF_CONFIDENCE_NOTES = {half}: log likelihood with equal sources {likelihood:.3f}\n\n" + markdown.reliability(answers))


def main(corpus: Path, truth: Path) -> None:
    """Fit, and print tables and weights."""
    files = read_files(corpus, truth)
    evidence = np.array([file.evidence for file in files]) * SCALE
    right = np.array([file.right for file in files])
    importance = np.array([file.importance for file in files])
    sources = np.array([file.source for file in files])
    from_notes, from_declaration = evidence[:, :, :NOTE_KINDS], evidence[:, :, NOTE_KINDS:]

    weights = fit(from_notes, right, importance)
    collections = np.array([file.group.split(":")[0] if ":" in file.group else file.source for file in files])
    folds = np.array([ground_truth.fold(file.group) for file in files])
    untouched = held_out(folds, from_notes, right, importance)
    foreign = held_out(collections, from_notes, right, importance)
    print_right_answers(sources, right, {"tuned": probabilities(weights, from_notes), "untouched": untouched, "foreign": foreign})

    declaration_weights = fit_declarations(from_declaration, np.log(untouched), right, sources, importance)
    scores = np.log(untouched) + from_declaration @ declaration_weights
    print_confidence(scores, right, sources, np.array([file.notes for file in files]))
    print("\nWEIGHTS = (" + ", ".join(f"{w:.2f}" for w in np.concatenate([weights, declaration_weights]) * SCALE) + ")")
    fit_loops(files)


if __name__ == "__main__":
    arguments = parse_arguments(make_parser(__doc__))
    main(arguments.corpus, arguments.truth)
