"""Annotations by experts: tab-separated tables with a header line, whose `relpath` is the path of a file below the corpus.

    key.tsv            tonic_pc (0 is C), mode (maj or min), source, group
    keysig_sharps.tsv  sharps (negative for flats), source, group
    tempo.tsv          bpm of the beat and bpm_quarter (one may be empty), ibi_cv, midi_tempo_map (real or fake), source, group
    timesig.tsv        num, den, source, group

Each `source` (who annotated) is scored separately. Files of one `group` are versions of one piece and never on both sides
of a split. `ibi_cv` is the standard deviation of the beat intervals over their mean.
"""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path
from typing import TypeAlias

Row: TypeAlias = dict[str, str]  # column -> text of a cell

FOLDS = 5  # parts of a cross-validation


def read(truth: Path, table: str, corpus: Path) -> list[Row]:
    """The rows of a table whose file is in the corpus; empty if there is no such table."""
    path = truth / f"{table}.tsv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file, delimiter="\t") if (corpus / row["relpath"]).is_file()]


def time_signature(row: Row) -> str:
    """The annotated meter of a row of timesig.tsv, like "6/8"."""
    return f"{row['num']}/{row['den']}"


def fold(group: str) -> int:
    """The part of the cross-validation that a group belongs to, the same in every run."""
    return int(hashlib.sha256(group.encode()).hexdigest()[:8], 16) % FOLDS


def thin(rows: list[Row], maximum: int) -> list[Row]:
    """At most `maximum` rows per source, pseudo-random and the same in every run."""
    kept: dict[str, int] = {}
    chosen = []
    for row in sorted(rows, key=lambda row: hashlib.sha256(row["relpath"].encode()).digest()):
        kept[row["source"]] = kept.get(row["source"], 0) + 1
        if kept[row["source"]] <= maximum:
            chosen.append(row)
    return chosen
