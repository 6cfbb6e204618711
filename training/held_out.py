"""How often a learnt choice is right: with weights that saw the file (tuned), that saw no version of its piece (untouched), and that
saw nothing of its collection (foreign). Only the last says what to expect of a collection that is not here, so it chooses the settings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from accuracy import ground_truth, markdown
from accuracy.ground_truth import Row
from training.logit import Bools, Floats

Model = TypeVar("Model")

MIN_COLLECTION = 60  # files; smaller ones are held out together
HIGH_CONFIDENCE = 0.8


@dataclass
class HeldOut:
    """The probabilities of the choices of each file, files x choices."""

    tuned: Floats
    untouched: Floats
    foreign: Floats


def collection(row: Row) -> str:
    """The collection of a row: the folder of the corpus, or of those beside it, that the file is in."""
    parts = [part for part in Path(row["relpath"]).parts if part not in ("..", "more")]
    return parts[0].split("+")[-1]


def collections(rows: list[Row]) -> list[str]:
    """The collection of each row, small ones as "others"."""
    sizes = Counter(collection(row) for row in rows if "stretched" not in row)
    return [name if sizes[name := collection(row)] >= MIN_COLLECTION else "others" for row in rows]


def hold_out(
    rows: list[Row], learnable: Bools, learn: Callable[[Bools], Model], choose: Callable[[Model, Bools], Floats]
) -> tuple[Model, HeldOut]:
    """The model of all files that are learnable, and the probabilities of all choices in the three ways.

    learn(files) returns a model; choose(model, files) the probabilities of their choices.
    """
    model = learn(learnable)
    tuned = choose(model, np.ones(len(rows), bool))

    def without(parts: list[Any]) -> Floats:
        result = np.empty_like(tuned)
        for part in sorted(set(parts)):
            mine = np.array([each == part for each in parts])
            result[mine] = choose(learn(learnable & ~mine), mine)
        return result

    return model, HeldOut(tuned, without([ground_truth.fold(row["group"]) for row in rows]), without(collections(rows)))


def shares(labels: list[str], results: dict[str, tuple[Floats, Bools]]) -> str:
    """A table with the share of right answers per label and their mean, from probabilities and right choices per column."""
    each = np.array(labels)
    lines: list[list[object]] = []
    for label in sorted(set(labels)):
        mine = np.flatnonzero(each == label)
        lines.append([label, len(mine), *(float(right[mine, p[mine, : right.shape[1]].argmax(1)].mean()) for p, right in results.values())])
    means = [float(np.mean([line[column] for line in lines])) for column in range(2, len(results) + 2)]
    return markdown.table(["", "files", *results], [*lines, ["mean", len(labels), *means]])


def confidence_table(labels: list[str], p: Floats, right: Bools) -> str:
    """A table with the answers above HIGH_CONFIDENCE per label: how many, and how many are right; and their mean."""
    each = np.array(labels)
    answers = p[:, : right.shape[1]]
    best, confidence = answers.argmax(1), answers.max(1)
    ok = right[np.arange(len(labels)), best]
    lines: list[list[object]] = []
    for label in sorted(set(labels)):
        sure = (each == label) & (confidence > HIGH_CONFIDENCE)
        if sure.any():
            of_right = float((sure & ok).sum() / max(((each == label) & ok).sum(), 1))
            lines.append([label, int(sure.sum()), float(ok[sure].mean()), of_right])
    mean = float(np.mean([line[2] for line in lines])) if lines else 0.0
    sure = confidence > HIGH_CONFIDENCE
    lines.append(["mean", int(sure.sum()), mean, float((sure & ok).sum() / max(ok.sum(), 1))])
    return markdown.table(["", "above 0.8", "of them right", "right ones above 0.8"], lines)
