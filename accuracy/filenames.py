"""How many files have a tempo, key or meter in their name, and how often that agrees with the notes."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from typing import Any

import midiopt
from accuracy import markdown

NAME_COLUMNS = ("name_bpm", "name_key", "name_meter")
QUERY = f"SELECT path, name_agrees, {', '.join(NAME_COLUMNS)} FROM library WHERE status IN ('ok', 'repaired')"


def report(corpus: Path, truth: Path, sample: int) -> str:
    """A row per collection (a folder of the corpus) with any such name. The name itself is the truth, so `truth` is not read."""
    root = os.path.join(os.path.abspath(corpus), "")
    collections: dict[str, list[list[Any]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as temporary:
        midiopt.run([root], f"{temporary}/facts.db")
        with closing(sqlite3.connect(f"{temporary}/facts.db")) as library:
            for path, *facts in library.execute(QUERY):
                collections[path.removeprefix(root).split("/")[0]].append(facts)
    rows = []
    for name, files in sorted(collections.items()):
        compared = [agrees for agrees, *_ in files if agrees is not None]
        counts = [sum(value is not None for value in column) for column in list(zip(*files, strict=True))[1:]]
        if any(counts):
            rows.append([name, len(files), *counts, sum(compared) / len(compared) if compared else ""])
    return "### Names\n\n" + markdown.table(["collection", "files", *NAME_COLUMNS, "name_agrees"], rows)
