"""What experts wrote: tab-separated tables with a header line, whose `relpath` is a file's place in the corpus.

    key.tsv            tonic_pc (0 is C), mode (maj or min), source, group
    keysig_sharps.tsv  sharps (negative for flats), source, group
    tempo.tsv          bpm of the beat and bpm_quarter (one may be empty), ibi_cv, midi_tempo_map (real or fake), source, group
    timesig.tsv        num, den, source, group

`source` names who annotated and is scored apart; files of one `group` are versions of one piece, and are never on
both sides of a split.
"""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

FOLDS = 5


def read(truth: Path, table: str, corpus: Path) -> list[dict[str, str]]:
    """The rows of a table whose file is in the corpus; none when the table is not there."""
    path = truth / f"{table}.tsv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file, delimiter="\t") if (corpus / row["relpath"]).is_file()]


def fold(group: str) -> int:
    """The part of a split that a group belongs to: chance, and yet the same in every run."""
    return int(hashlib.sha256(group.encode()).hexdigest()[:8], 16) % FOLDS


def thin(rows: list[dict[str, str]], most: int) -> list[dict[str, str]]:
    """At most so many rows of each source, spread by chance, the same in every run."""
    kept: dict[str, int] = {}
    chosen = []
    for row in sorted(rows, key=lambda row: hashlib.sha256(row["relpath"].encode()).digest()):
        kept[row["source"]] = kept.get(row["source"], 0) + 1
        if kept[row["source"]] <= most:
            chosen.append(row)
    return chosen
