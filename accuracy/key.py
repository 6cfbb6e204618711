"""How often the key is right, beside other ways to find it.

    exact      tonic and mode
    weighted   as MIREX scores: a fifth off counts 0.5, the relative key 0.3, the parallel 0.2
    signature  the same sharps or flats: right, or the relative key

A source that only knows the sharps is scored by signature alone. Baselines: C. Krumhansl and E. Kessler's profiles
(1982) on counts of notes; Albrecht and Shanahan's (2013) on durations; music21's analyze("key") on a sample.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

import midiopt
from accuracy import annotations, markdown
from midiopt.schema import KEYS

Answer = int | None  # tonic, and 12 more for minor
Row = dict[str, str]

KRUMHANSL_KESSLER = (
    (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
)
ALBRECHT_SHANAHAN = (
    (0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081),
    (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052),
)
ERRORS = ("right", "fifth", "relative", "parallel", "other", "none")
BASELINES = ("Krumhansl-Kessler, counts", "Albrecht-Shanahan, durations", "music21")
DRUMS = 9


def number(name: str | None) -> Answer:
    """'F#m' -> 18."""
    if name is None:
        return None
    row = KEYS.index(name)
    return 7 * (row - 7) % 12 if row < 15 else (7 * (row - 22) + 9) % 12 + 12


def signature(key: int) -> int:
    """Sharps, modulo 12."""
    return 7 * (key % 12 + 3 * (key // 12)) % 12


def kind_of(answer: Answer, true: int) -> str:
    if answer is None:
        return "none"
    if answer == true:
        return "right"
    if answer // 12 == true // 12 and (answer - true) % 12 in (5, 7):
        return "fifth"
    if answer // 12 != true // 12 and signature(answer) == signature(true):
        return "relative"
    return "parallel" if answer % 12 == true % 12 else "other"


WORTH = {"right": 1.0, "fifth": 0.5, "relative": 0.3, "parallel": 0.2, "other": 0.0, "none": 0.0}


# Baselines


def by_profile(weights: np.ndarray, profiles: tuple[tuple[float, ...], ...]) -> Answer:
    if np.ptp(weights) == 0:
        return None
    turned = np.array([np.roll(profile, tonic) for profile in profiles for tonic in range(12)])
    return int(np.corrcoef(turned, weights)[-1, :-1].argmax())


def by_counts(path: Path) -> Answer:
    events = midiopt.parse(path.read_bytes()).events()
    struck = (events["status"] & 0xF0 == 0x90) & (events["data2"] > 0) & (events["status"] & 0x0F != DRUMS)
    return by_profile(np.bincount(events["data1"][struck] % 12, minlength=12).astype(float), KRUMHANSL_KESSLER)


def by_music21(path: Path) -> Answer:
    try:
        import music21
    except ImportError:
        raise SystemExit("make eval needs music21: pip install 'midiopt[eval]'") from None
    found = music21.converter.parse(path).analyze("key")
    return found.tonic.pitchClass + 12 * (found.mode == "minor")


# The report


def share(answers: Sequence[float]) -> float:
    return sum(answers) / max(len(answers), 1)


def true_key(row: Row) -> int:
    return int(row["tonic_pc"]) + 12 * row["mode"].startswith("min")


def is_right(answer: Answer, row: Row) -> bool:
    if "sharps" in row:
        return answer is not None and signature(answer) == int(row["sharps"]) % 12
    return answer == true_key(row)


def right(find: Callable[[Row], Answer], rows: list[Row]) -> float:
    return share([is_right(find(row), row) for row in rows])


def report(corpus: Path, tables_of_truth: Path, sample: int) -> str:
    """The tables of docs/accuracy.md, over every file that experts gave a key; music21 on `sample` files a source."""
    rows = [row for name in ("key", "keysig_sharps") for row in annotations.read(tables_of_truth, name, corpus)]
    facts = {row["relpath"]: midiopt.analyze(corpus / row["relpath"]) for row in rows}

    def notes(row: Row) -> Answer:
        return number(facts[row["relpath"]].key_notes)

    def key(row: Row) -> Answer:
        return number(facts[row["relpath"]].key)

    def durations(row: Row) -> Answer:
        return by_profile(np.array(facts[row["relpath"]].pitch_classes), ALBRECHT_SHANAHAN)

    def counts(row: Row) -> Answer:
        return by_counts(corpus / row["relpath"])

    def music21(row: Row) -> Answer:
        return by_music21(corpus / row["relpath"])

    scores, confusions, certainty = [], [], []
    answers: list[tuple[float, bool]] = []
    for source in sorted({row["source"] for row in rows}):
        mine = [row for row in rows if row["source"] == source]
        few = annotations.thin(mine, sample)
        kinds = [kind_of(notes(row), true_key(row)) for row in mine if "mode" in row]
        exact = right(notes, mine)
        weighted = share([WORTH[kind] for kind in kinds]) if kinds else ""
        same_signature = share([kind in ("right", "relative") for kind in kinds]) if kinds else exact
        beside = f"{right(music21, few):.3f} of {len(few)}" if few else ""
        scores.append(
            [source, len(mine), exact, weighted, same_signature, right(key, mine), right(counts, mine), right(durations, mine), beside]
        )
        if kinds:
            confusions.append([source, *(kinds.count(kind) for kind in ERRORS)])
        held = [(facts[row["relpath"]].key_confidence, is_right(key(row), row)) for row in mine]
        answers += held
        certain = [ok for confidence, ok in held if confidence > 0.8]
        certainty.append([source, len(certain), share(certain), share([confidence > 0.8 for confidence, ok in held if ok])])
    head = [
        "source",
        "files",
        "key_notes",
        "weighted",
        "signature",
        "key",
        "Krumhansl-Kessler, counts",
        "Albrecht-Shanahan, durations",
        "music21",
    ]
    return "\n\n".join(
        [
            "### Key: right answers",
            markdown.table(head, scores),
            "### Key: what key_notes says instead",
            markdown.table(["source", *ERRORS], confusions),
            "### Key: confidence",
            markdown.reliability(answers),
            markdown.table(["source", "files above 0.8", "of them right", "right ones above 0.8"], certainty),
        ]
    )
