"""How many files say their tempo or key in their name, and how often the notes agree: from the view `library`."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections import defaultdict
from contextlib import closing
from pathlib import Path

import tables

import midiopt

QUERY = "SELECT path, name_bpm, name_key, name_agrees FROM library WHERE status IN ('ok', 'repaired')"


def report(corpus: Path, tables_of_truth: Path, sample: int) -> str:
    """By collection, a folder of the corpus. The truth is the name, so that neither of the others is asked."""
    folder = os.path.join(os.path.abspath(corpus), "")
    collections: dict[str, list[tuple]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as temporary:
        midiopt.run([folder], f"{temporary}/facts.db")
        with closing(sqlite3.connect(f"{temporary}/facts.db")) as library:
            for path, *said in library.execute(QUERY):
                collections[path.removeprefix(folder).split("/")[0]].append(tuple(said))
    rows = []
    for name, files in sorted(collections.items()):
        answered = [agrees for *_, agrees in files if agrees is not None]
        if any(bpm or key for bpm, key, _ in files):
            share = sum(answered) / len(answered) if answered else ""
            rows.append([name, len(files), sum(bpm is not None for bpm, *_ in files), sum(bool(key) for _, key, _ in files), share])
    return "### Names\n\n" + tables.table(["collection", "files", "name_bpm", "name_key", "name_agrees"], rows)
