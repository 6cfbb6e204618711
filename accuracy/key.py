"""How often the key is right, compared with other ways to find it.

    exact      tonic and mode
    weighted   MIREX score: a fifth off counts 0.5, the relative key 0.3, the parallel key 0.2
    signature  the same sharps or flats: right, or the relative key

A source that knows only the sharps is scored by signature. Baselines: the profiles of C. Krumhansl and E. Kessler (1982) on
note counts; those of Albrecht and Shanahan (2013) on durations; music21's analyze("key") on a sample.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

import midiopt
from accuracy import ground_truth, markdown
from accuracy.ground_truth import Row
from midiopt.schema import KEYS

Key: TypeAlias = int  # pitch class of the tonic, plus 12 for minor
Answer: TypeAlias = Key | None

KRUMHANSL_KESSLER = (
    (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
)
ALBRECHT_SHANAHAN = (
    (0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081),
    (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052),
)
MIREX_WEIGHTS = {"right": 1.0, "fifth": 0.5, "relative": 0.3, "parallel": 0.2, "other": 0.0, "none": 0.0}
BASELINES = ("Krumhansl-Kessler, counts", "Albrecht-Shanahan, durations", "music21")
DRUM_CHANNEL = 9


def key_number(name: str | None) -> Answer:
    """The number of a key by its name in schema.KEYS: "F#m" -> 18."""
    if name is None:
        return None
    row = KEYS.index(name)
    return 7 * (row - 7) % 12 if row < 15 else (7 * (row - 22) + 9) % 12 + 12


def signature(key: Key) -> int:
    """Sharps of the key signature, modulo 12."""
    return 7 * (key % 12 + 3 * (key // 12)) % 12


def true_key(row: Row) -> Key:
    """The annotated key of a row of key.tsv."""
    return int(row["tonic_pc"]) + 12 * row["mode"].startswith("min")


def relation(answer: Answer, true: Key) -> str:
    """How an answer relates to the true key; a name of MIREX_WEIGHTS."""
    if answer is None:
        return "none"
    if answer == true:
        return "right"
    if answer // 12 == true // 12 and (answer - true) % 12 in (5, 7):
        return "fifth"
    if answer // 12 != true // 12 and signature(answer) == signature(true):
        return "relative"
    return "parallel" if answer % 12 == true % 12 else "other"


def is_right(answer: Answer, row: Row) -> bool:
    """Whether an answer is the annotated key, or has the annotated sharps if that is all that is known."""
    if "sharps" in row:
        return answer is not None and signature(answer) == int(row["sharps"]) % 12
    return answer == true_key(row)


# --- baselines -------------------------------------------------------------------------------------


def key_by_profile(weights: npt.NDArray[np.float64], profiles: tuple[tuple[float, ...], ...]) -> Answer:
    """The key whose profile correlates best with 12 pitch-class weights; None if these are all equal."""
    if np.ptp(weights) == 0:
        return None
    rotated = np.array([np.roll(profile, tonic) for profile in profiles for tonic in range(12)])
    return int(np.corrcoef(rotated, weights)[-1, :-1].argmax())


def key_by_counts(path: Path) -> Answer:
    """Krumhansl and Kessler's profiles on note counts."""
    events = midiopt.parse(path.read_bytes()).events()
    note_on = (events["status"] & 0xF0 == 0x90) & (events["data2"] > 0) & (events["status"] & 0x0F != DRUM_CHANNEL)
    return key_by_profile(np.bincount(events["data1"][note_on] % 12, minlength=12).astype(float), KRUMHANSL_KESSLER)


def key_by_music21(path: Path) -> Answer:
    """music21's key analysis."""
    try:
        import music21
    except ImportError:
        raise SystemExit("make eval needs music21: pip install 'midiopt[eval]'") from None
    found = music21.converter.parse(path).analyze("key")
    return int(found.tonic.pitchClass) + 12 * int(found.mode == "minor")


# --- the report ------------------------------------------------------------------------------------


def mean(values: Sequence[float]) -> float:
    """The mean, 0 of nothing; of truth values the share that is true."""
    return sum(values) / max(len(values), 1)


def share_right(find: Callable[[Row], Answer], rows: list[Row]) -> float:
    """The share of rows for which find(row) is right."""
    return mean([is_right(find(row), row) for row in rows])


class Scores:
    """The tables of the report, filled source by source."""

    def __init__(self, corpus: Path, rows: list[Row], sample: int) -> None:
        self.corpus, self.sample = corpus, sample
        self.facts = {row["relpath"]: midiopt.analyze(corpus / row["relpath"]) for row in rows}
        self.right: list[list[object]] = []
        self.relations: list[list[object]] = []
        self.confident: list[list[object]] = []
        self.answers: list[tuple[float, bool]] = []  # (confidence, right) of every file

    def key_notes(self, row: Row) -> Answer:
        """The key from the notes alone."""
        return key_number(self.facts[row["relpath"]].key_notes)

    def key(self, row: Row) -> Answer:
        """The key from notes and declaration."""
        return key_number(self.facts[row["relpath"]].key)

    def by_durations(self, row: Row) -> Answer:
        """Albrecht and Shanahan's profiles on durations."""
        return key_by_profile(np.array(self.facts[row["relpath"]].pitch_classes), ALBRECHT_SHANAHAN)

    def by_counts(self, row: Row) -> Answer:
        """Krumhansl and Kessler's profiles on counts."""
        return key_by_counts(self.corpus / row["relpath"])

    def by_music21(self, row: Row) -> Answer:
        """music21's key."""
        return key_by_music21(self.corpus / row["relpath"])

    def add(self, source: str, rows: list[Row]) -> None:
        """Score the files of a source."""
        few = ground_truth.thin(rows, self.sample)
        relations = [relation(self.key_notes(row), true_key(row)) for row in rows if "mode" in row]
        exact = share_right(self.key_notes, rows)
        weighted = mean([MIREX_WEIGHTS[each] for each in relations]) if relations else ""
        same_signature = mean([each in ("right", "relative") for each in relations]) if relations else exact
        music21 = f"{share_right(self.by_music21, few):.3f} of {len(few)}" if few else ""
        others = [share_right(find, rows) for find in (self.key, self.by_counts, self.by_durations)]
        self.right.append([source, len(rows), exact, weighted, same_signature, *others, music21])
        if relations:
            self.relations.append([source, *(relations.count(each) for each in MIREX_WEIGHTS)])
        answers = [(self.facts[row["relpath"]].key_confidence, is_right(self.key(row), row)) for row in rows]
        self.answers += answers
        high = [right for confidence, right in answers if confidence > markdown.HIGH_CONFIDENCE]
        recall = mean([confidence > markdown.HIGH_CONFIDENCE for confidence, right in answers if right])
        self.confident.append([source, len(high), mean(high), recall])


def report(corpus: Path, truth: Path, sample: int) -> str:
    """The tables over every file with an annotated key; music21 on `sample` files per source."""
    rows = [row for table in ("key", "keysig_sharps") for row in ground_truth.read(truth, table, corpus)]
    scores = Scores(corpus, rows, sample)
    for source in sorted({row["source"] for row in rows}):
        scores.add(source, [row for row in rows if row["source"] == source])
    return "\n\n".join(
        [
            "### Key: right answers",
            markdown.table(["source", "files", "key_notes", "weighted", "signature", "key", *BASELINES], scores.right),
            "### Key: what key_notes is instead",
            markdown.table(["source", *MIREX_WEIGHTS], scores.relations),
            "### Key: confidence",
            markdown.reliability(scores.answers),
            markdown.table(["source", "files above 0.8", "of them right", "right ones above 0.8"], scores.confident),
        ]
    )
