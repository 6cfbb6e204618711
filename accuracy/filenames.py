"""How many files say their tempo, key or meter in their name, and how often the notes agree: from the view `library`."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections import defaultdict
from contextlib import closing
from pathlib import Path

import midiopt
from accuracy import markdown

SAID = ("name_bpm", "name_key", "name_meter")
QUERY = f"SELECT path, name_agrees, {', '.join(SAID)} FROM library WHERE status IN ('ok', 'repaired')"


def report(corpus: Path, tables_of_truth: Path, sample: int) -> str:
    """By collection, a folder of the corpus. The truth is the name, so that neither of the others is asked."""
    folder = os.path.join(os.path.abspath(corpus), "")
    collections: dict[str, list[list]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as temporary:
        midiopt.run([folder], f"{temporary}/facts.db")
        with closing(sqlite3.connect(f"{temporary}/facts.db")) as library:
            for path, *facts in library.execute(QUERY):
                collections[path.removeprefix(folder).split("/")[0]].append(facts)
    rows = []
    for name, files in sorted(collections.items()):
        answered = [agrees for agrees, *_ in files if agrees is not None]
        counts = [sum(value is not None for value in column) for column in list(zip(*files, strict=True))[1:]]
        if any(counts):
            rows.append([name, len(files), *counts, sum(answered) / len(answered) if answered else ""])
    return "### Names\n\n" + markdown.table(["collection", "files", *SAID, "name_agrees"], rows)
