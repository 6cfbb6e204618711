"""How often the tempo and the meter are right.

    acc1   within 4 % of the beat or of the quarter note
    acc2   the same, a factor of 2, 3, 1/2 or 1/3 forgiven

`bpm` is the best estimate; `bpm_onsets` never uses tempo events. The truth of many sources equals the tempo events of
their files, so that only `bpm_onsets` shows how well the beat is found. Recorded performances are scored once more where
their tempo is steady, by `ibi_cv`. The baseline is pretty_midi's estimate_tempo, on a sample.
"""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path

import midiopt
from accuracy import ground_truth, markdown
from accuracy.ground_truth import Row

TOLERANCE = 0.04
ACC1_FACTORS = (1.0,)
ACC2_FACTORS = (1.0, 2.0, 3.0, 0.5, 1 / 3)
CONFUSIONS = {  # name -> answer over truth
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
STEADY_IBI_CV = (0.15, 0.25)


def annotated_bpm(row: Row) -> list[float]:
    """The annotated tempos of the beat and of the quarter note."""
    return [float(row[name]) for name in ("bpm", "bpm_quarter") if row[name]]


def is_near(answer: float | None, row: Row, factors: tuple[float, ...] = ACC1_FACTORS) -> bool:
    """Whether an answer is an annotated tempo, or a factor times it."""
    return answer is not None and any(abs(answer / (bpm * factor) - 1) <= TOLERANCE for bpm in annotated_bpm(row) for factor in factors)


def confusion(answer: float | None, row: Row) -> str:
    """What an answer is of the annotated tempo: a name of CONFUSIONS, "other" or "none"."""
    if answer is None:
        return "none"
    return next((name for name, factor in CONFUSIONS.items() if is_near(answer, row, (factor,))), "other")


def share(answers: list[bool]) -> float:
    """The share of true values, 0 of nothing."""
    return sum(answers) / max(len(answers), 1)


def both_accuracies(answers: list[float | None], rows: list[Row]) -> str:
    """acc1 / acc2."""
    scores = [share([is_near(a, row, factors) for a, row in zip(answers, rows, strict=True)]) for factors in (ACC1_FACTORS, ACC2_FACTORS)]
    return " / ".join(f"{score:.3f}" for score in scores)


def tempo_by_pretty_midi(path: Path) -> float | None:
    """pretty_midi's estimate; None with fewer than two notes."""
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
    """The rows of each source, and separately its recorded performances with a steady tempo."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["source"], []).append(row)
        for limit in STEADY_IBI_CV:
            if row["midi_tempo_map"] == "fake" and row["ibi_cv"] and float(row["ibi_cv"]) < limit:
                found.setdefault(f"{row['source']}, ibi_cv < {limit}", []).append(row)
    return dict(sorted(found.items()))


def tempo_report(corpus: Path, rows: list[Row], facts: dict[str, midiopt.Analysis], sample: int) -> list[str]:
    """The tables of the tempo."""
    scores, confusions = [], []
    answers: list[tuple[float, bool]] = []
    for source, mine in by_source(rows).items():
        few = ground_truth.thin(mine, sample)
        declared = [facts[row["relpath"]].bpm for row in mine]
        estimated = [facts[row["relpath"]].bpm_onsets for row in mine]
        baseline = both_accuracies([tempo_by_pretty_midi(corpus / row["relpath"]) for row in few], few) + f" of {len(few)}"
        scores.append([source, len(mine), both_accuracies(declared, mine), both_accuracies(estimated, mine), baseline])
        if "," not in source:  # not a subset of another
            kinds = Counter(confusion(answer, row) for answer, row in zip(estimated, mine, strict=True))
            confusions.append([source, *(kinds[kind] for kind in (*CONFUSIONS, "other", "none"))])
            confidence = [facts[row["relpath"]].bpm_onsets_confidence for row in mine]
            answers += [(c, is_near(a, row)) for c, a, row in zip(confidence, estimated, mine, strict=True) if c is not None]
    return [
        "### Tempo: right answers, acc1 / acc2",
        markdown.table(["source", "files", "bpm", "bpm_onsets", "pretty_midi"], scores),
        "### Tempo: what bpm_onsets is of the annotated tempo",
        markdown.table(["source", *CONFUSIONS, "other", "none"], confusions),
        "### Tempo: confidence of bpm_onsets",
        markdown.reliability(answers),
    ]


def meter_report(rows: list[Row], facts: dict[str, midiopt.Analysis]) -> list[str]:
    """The tables of the meter."""
    scores = []
    answers: list[tuple[float, bool]] = []
    for source in sorted({row["source"] for row in rows}):
        mine = [row for row in rows if row["source"] == source]
        right = [facts[row["relpath"]].meter_estimated == ground_truth.time_signature(row) for row in mine]
        scores.append([source, len(mine), share(right)])
        answers += [(facts[row["relpath"]].meter_confidence, ok) for row, ok in zip(mine, right, strict=True)]
    return [
        "### Meter: meter_estimated, exact",
        markdown.table(["source", "files", "meter_estimated"], scores),
        "### Meter: confidence",
        markdown.reliability(answers),
    ]


def report(corpus: Path, truth: Path, sample: int) -> str:
    """The tables over every file with an annotated tempo or meter; pretty_midi on `sample` files per source."""
    tempos = ground_truth.read(truth, "tempo", corpus)
    meters = ground_truth.read(truth, "timesig", corpus)
    facts = {path: midiopt.analyze(corpus / path) for path in dict.fromkeys(row["relpath"] for row in tempos + meters)}
    return "\n\n".join(tempo_report(corpus, tempos, facts, sample) + meter_report(meters, facts))
