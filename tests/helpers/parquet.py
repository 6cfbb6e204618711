"""What is in a Parquet directory, as the helpers that compare databases have it: rows, and an SQLite database for queries."""

from __future__ import annotations

import contextlib
import glob
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from midiopt.kinds import HASH8, HASH16
from midiopt.schema import ANALYSED, ANALYSES, FILES, STATUSES

PREFIX = "parquet:"


def parts(url: str) -> list[str]:
    """The parts, in the order of their names."""
    return sorted(glob.glob(f"{glob.escape(url.removeprefix(PREFIX))}/*.parquet"))


def rows(url: str) -> list[dict[str, Any]]:
    """All rows, in the order of the parts."""
    import pyarrow.parquet as pq

    return [row for part in parts(url) for row in pq.ParquetFile(part).read().to_pylist()]


def runs(url: str) -> list[dict[str, Any]]:
    """The runs that were recorded."""
    path = Path(url.removeprefix(PREFIX)) / "_midiopt.json"
    return json.loads(path.read_text())["runs"] if path.exists() else []


def files_and_analyses(url: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows as those of two tables; of several files with one content the last one has its analysis."""
    found = [_with_bytes(row) for row in rows(url)]
    files = [{c.name: row[c.name] for c in FILES.stored if c.name != "analysis_id"} for row in found]
    analysed = [row for row in found if row["status"] in [STATUSES[i] for i in ANALYSED] and row["format"] is not None]
    analyses = {row["content_hash"]: {c.name: row[c.name] for c in ANALYSES} for row in analysed}
    return files, list(analyses.values())


def _with_bytes(row: dict[str, Any]) -> dict[str, Any]:
    hashes = [c.name for c in (*FILES, *ANALYSES) if c.kind in (HASH8, HASH16)]
    return row | {name: bytes.fromhex(row[name]) for name in hashes if row[name]}


@contextlib.contextmanager
def as_sqlite(url: str) -> Iterator[str]:
    """An SQLite database with the same rows and runs, while the with block runs."""
    from midiopt.sinks import open_sink
    from tests.helpers.batches import make_batch, write

    files, analyses = files_and_analyses(url)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/copy.db"
        with open_sink(path) as sink:
            write(sink, make_batch(files, analyses))
            for file in files:
                if file["missing_since"]:
                    sink.mark_missing([file["path"]], file["missing_since"])
            for run in runs(url):
                facts = {name: value for name, value in run.items() if name != "id"}
                sink.start_run(facts)
                sink.end_run({"outcome": facts["outcome"]})
        yield path
