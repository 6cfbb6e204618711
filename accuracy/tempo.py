"""How often the tempo and the meter are right.

    acc1   within 4 % of the beat or of the quarter note
    acc2   the same, a factor of 2, 3, 1/2 or 1/3 forgiven

`bpm` is the one answer, `bpm_onsets` never looks at tempo events. Many of the sources' truths equal the tempo events
of their files, so that only the second says how well the beat is heard. Recorded performances are shown once more
where the beat keeps steady: by ibi_cv, the standard deviation of the beat intervals over their mean. The baseline is
pretty_midi's estimate_tempo, on a sample.
"""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path

import midiopt
from accuracy import annotations, markdown

Row = dict[str, str]

OCTAVES = (1.0, 2.0, 3.0, 0.5, 1 / 3)
CONFUSED = {
    "right": 1.0,
    "twice": 2.0,
    "half": 0.5,
    "three times": 3.0,
    "a third": 1 / 3,
    "4/3": 4 / 3,
    "3/4": 3 / 4,
    "3/2": 3 / 2,
    "2/3": 2 / 3,
}
STEADY = (0.15, 0.25)


def annotated(row: Row) -> list[float]:
    return [float(row[name]) for name in ("bpm", "bpm_quarter") if row[name]]


def is_near(answer: float | None, row: Row, factors: tuple[float, ...] = (1.0,)) -> bool:
    return answer is not None and any(abs(answer / (bpm * factor) - 1) <= 0.04 for bpm in annotated(row) for factor in factors)


def error(answer: float | None, row: Row) -> str:
    if answer is None:
        return "none"
    return next((name for name, factor in CONFUSED.items() if is_near(answer, row, (factor,))), "other")


def share(answers: list[bool]) -> float:
    return sum(answers) / max(len(answers), 1)


def pair(answers: list[float | None], rows: list[Row]) -> str:
    """acc1 / acc2"""
    scores = [share([is_near(a, row, factors) for a, row in zip(answers, rows, strict=True)]) for factors in ((1.0,), OCTAVES)]
    return " / ".join(f"{score:.3f}" for score in scores)


def by_pretty_midi(path: Path) -> float | None:
    try:
        import pretty_midi
    except ImportError:
        raise SystemExit("make eval needs pretty_midi: pip install 'midiopt[eval]'") from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return float(pretty_midi.PrettyMIDI(str(path)).estimate_tempo())
        except ValueError:  # fewer than two notes
            return None


def by_source(rows: list[Row]) -> dict[str, list[Row]]:
    """The rows of each source, and the steady ones of recorded performances."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["source"], []).append(row)
        for limit in STEADY:
            if row["midi_tempo_map"] == "fake" and row["ibi_cv"] and float(row["ibi_cv"]) < limit:
                found.setdefault(f"{row['source']}, ibi_cv < {limit}", []).append(row)
    return dict(sorted(found.items()))


def report(corpus: Path, tables_of_truth: Path, sample: int) -> str:
    """The tables of docs/accuracy.md, over every file that experts gave a tempo or a meter."""
    rows = annotations.read(tables_of_truth, "tempo", corpus)
    meters = annotations.read(tables_of_truth, "timesig", corpus)
    facts = {path: midiopt.analyze(corpus / path) for path in dict.fromkeys(row["relpath"] for row in rows + meters)}
    scores, confusions, answers, metrical, meter_answers = [], [], [], [], []
    for source, mine in by_source(rows).items():
        few = annotations.thin(mine, sample)
        heard = [facts[row["relpath"]].bpm_onsets for row in mine]
        baseline = pair([by_pretty_midi(corpus / row["relpath"]) for row in few], few) + f" of {len(few)}"
        scores.append([source, len(mine), pair([facts[row["relpath"]].bpm for row in mine], mine), pair(heard, mine), baseline])
        if "," not in source:
            kinds = Counter(error(answer, row) for answer, row in zip(heard, mine, strict=True))
            confusions.append([source, *(kinds[kind] for kind in (*CONFUSED, "other", "none"))])
            held = [facts[row["relpath"]].bpm_onsets_confidence for row in mine]
            answers += [(c, is_near(a, row)) for c, a, row in zip(held, heard, mine, strict=True) if c is not None]
    for source in sorted({row["source"] for row in meters}):
        mine = [row for row in meters if row["source"] == source]
        right = [facts[row["relpath"]].meter_estimated == f"{row['num']}/{row['den']}" for row in mine]
        metrical.append([source, len(mine), share(right)])
        meter_answers += [(facts[row["relpath"]].meter_confidence, ok) for row, ok in zip(mine, right, strict=True)]
    return "\n\n".join(
        [
            "### Tempo: right answers, acc1 / acc2",
            markdown.table(["source", "files", "bpm", "bpm_onsets", "pretty_midi"], scores),
            "### Tempo: what bpm_onsets is of the annotated tempo",
            markdown.table(["source", *CONFUSED, "other", "none"], confusions),
            "### Tempo: confidence of bpm_onsets",
            markdown.reliability(answers),
            "### Meter: meter_estimated, exact",
            markdown.table(["source", "files", "meter_estimated"], metrical),
            "### Meter: confidence",
            markdown.reliability(meter_answers),
        ]
    )
