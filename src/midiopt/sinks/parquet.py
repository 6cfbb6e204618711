"""A directory of Parquet files as a database: one row per path, with the facts of its content, in parts of 100,000 rows."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Generator
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from midiopt.errors import SinkError
from midiopt.rows.arrow_rows import RowTables
from midiopt.rows.batch import Batch
from midiopt.schema import ANALYZER_VERSION, FILES, OPENED, SETTLED, STATUSES
from midiopt.sinks import parquet_parts
from midiopt.sinks.base import KnownFile
from midiopt.sinks.batch_rows import last_row_per_key
from midiopt.sinks.parquet_columns import TIME, analysed, between, marked, short_hashes, with_missing, without
from midiopt.sinks.parquet_index import path_hashes
from midiopt.sinks.parquet_parts import Part, delete_parts, read_columns, read_part, with_rows
from midiopt.sinks.parquet_store import PAGE_ROWS, PartStore

if TYPE_CHECKING:
    from numpy.typing import NDArray


class ParquetSink:
    """A Database (base.py describes the methods) in the directory at `path`, which is created if absent.

    Rows wait in memory until they are a part, or for ``flush``. A new path comes into a new part, whose rows are in order of arrival. A
    changed row replaces that of its path in the part that has it: see parquet_parts.py.
    """

    shares_analyses = False
    commits_in_order = True
    content_key = b""  # no content is left out because another one has its hash, so that there is nothing to gain by a collision

    def __init__(self, path: str, should_stop: Callable[[], bool]) -> None:
        self._store = PartStore(path, should_stop)
        self._records = self._store.folder.records
        self.parts_folder = self._store.path
        self._tables = RowTables(pa)
        self._new: list[pa.RecordBatch] = []
        self._new_rows = 0
        self._new_paths: set[int] = set()  # the hashes of their paths
        self._updates: list[tuple[pa.RecordBatch, NDArray[np.int32]]] = []  # with the number of each row's part

    # --- Sink ---

    def write(self, batch: Batch) -> None:
        """See Sink; a batch must have the analyses of its files."""
        self._write(self._tables.record_batch(Batch(last_row_per_key(FILES, batch), batch.analyses, batch.heap)))

    def adopt(self, name: str) -> None:
        """Take over what a task of an executor has written into the directory (parquet_parts.write_unadopted), committed at once.

        It becomes a part by a rename, or its rows are written like others if some of their paths are known.
        """
        self._store.folder.check()
        path = os.path.join(self.parts_folder, name)
        if not os.path.exists(path):
            raise SinkError(f"{path} is not there: the workers need the same directory under the same path")
        unadopted = Part.at(path)
        hashes = path_hashes(read_columns(unadopted, ["path"])["path"].to_pylist())
        is_new = self._new_paths.isdisjoint(hashes.tolist()) and (self._store.known_paths().find(hashes) < 0).all()
        if is_new and len(np.unique(hashes)) == len(hashes):
            self._store.adopt(name, hashes)
            return
        for rows in read_part(unadopted).to_batches():
            self._write(rows)
        delete_parts([unadopted])

    def _write(self, rows: pa.RecordBatch) -> None:
        hashes = path_hashes(rows["path"].to_pylist())
        if not self._new_paths.isdisjoint(hashes.tolist()):
            self._commit()
        parts = self._store.known_paths().find(hashes)
        if (parts >= 0).any():
            known = np.flatnonzero(parts >= 0)
            self._updates.append((rows.take(pa.array(known)), parts[known]))
            rows, hashes = rows.filter(pa.array(parts < 0)), hashes[parts < 0]
        while self._new_rows + len(rows) >= parquet_parts.PART_ROWS:
            full = parquet_parts.PART_ROWS - self._new_rows
            self._add(rows[:full], hashes[:full])
            self._commit()
            rows, hashes = rows[full:], hashes[full:]
        self._add(rows, hashes)
        if sum(len(updates) for updates, _ in self._updates) >= parquet_parts.PART_ROWS:
            self._commit()

    def _add(self, rows: pa.RecordBatch, hashes: NDArray[np.int64]) -> None:
        if len(rows):
            self._new.append(rows)
            self._new_rows += len(rows)
            self._new_paths.update(hashes.tolist())

    def flush(self) -> None:
        """See Sink."""
        self._commit()

    def close(self) -> None:
        """See Sink."""
        self._store.folder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if error is None:
            self.flush()
        self.close()

    def _commit(self) -> None:
        """Write what waits. The row of an archive comes after those of its members, which are updates before it, or new."""
        updates, self._updates = self._updates, []
        self._replace(updates, is_archive=False)
        if self._new:
            self._store.add(self._new, np.fromiter(self._new_paths, np.int64, len(self._new_paths)))
            self._new, self._new_rows, self._new_paths = [], 0, set()
        self._replace(updates, is_archive=True)

    def _replace(self, updates: list[tuple[pa.RecordBatch, NDArray[np.int32]]], is_archive: bool) -> None:
        chosen = []
        for rows, parts in updates:
            is_chosen = (rows["status"].indices.to_numpy() == OPENED) == is_archive
            chosen.append((rows.filter(pa.array(is_chosen)), parts[is_chosen]))
        numbers = np.unique(np.concatenate([parts for _, parts in chosen])).tolist() if chosen else []
        for number in numbers:
            rows = pa.Table.from_batches([rows.filter(pa.array(parts == number)) for rows, parts in chosen])
            self._store.edit(number, partial(with_rows, rows=rows))

    # --- Catalog ---

    def iter_files(self, keep_old: bool = False, tracks: bool = False) -> Generator[list[KnownFile]]:
        """See Catalog."""
        if tracks:
            raise SinkError("a Parquet directory has no table of tracks; --tracks needs an SQLite file or PostgreSQL")
        return self._iter_files(keep_old)

    def _iter_files(self, keep_old: bool) -> Generator[list[KnownFile]]:
        settled_names = pa.array([STATUSES[i] for i in SETTLED])
        for table in self._store.pages(["path", "size_bytes", "mtime_ns", "status", "error", "analyzer_version"]):
            status = table["status"].cast(pa.string())
            settled = pc.and_(pc.is_in(status, settled_names), pc.or_(pc.not_equal(status, STATUSES[OPENED]), table["error"].is_null()))
            if not keep_old:
                settled = pc.and_(settled, pc.greater_equal(table["analyzer_version"], ANALYZER_VERSION))
            columns = (table["path"], table["size_bytes"], table["mtime_ns"], settled)
            yield list(zip(*(column.to_pylist() for column in columns), strict=True))

    def iter_content_hashes(self, tracks: bool = False) -> Generator[bytes]:
        """See Catalog: none, since each row has its own facts."""
        yield from ()

    def missing_paths(self) -> Generator[list[str]]:
        """See Catalog."""
        for table in self._store.pages(["path", "missing_since"]):
            if paths := table.filter(pc.is_valid(table["missing_since"]))["path"].to_pylist():
                yield paths

    def last_missing(self) -> dt.datetime | None:
        """See Catalog."""
        latest = (pc.max(table["missing_since"]).as_py() for table in self._store.pages(["missing_since"]))
        return max(filter(None, latest), default=None)

    def paths_between(self, after: str, before: str, missing: bool = False) -> list[str]:
        """See Catalog."""
        found: list[bytes] = []
        for part in sorted((part for part in self._store.parts if part.overlaps(after, before)), key=lambda part: part.first.encode()):
            if len(found) == PAGE_ROWS and part.first.encode() > found[-1]:
                break
            table = read_columns(part, ["path", "missing_since"])
            is_wanted = pc.is_valid(table["missing_since"]) if missing else pc.is_null(table["missing_since"])
            paths = table["path"].filter(pc.and_(is_wanted, between(table, after, before)))
            found = sorted(found + paths.cast(pa.binary()).to_pylist())[:PAGE_ROWS]
        return [path.decode() for path in found]

    def count_between(self, after: str, before: str) -> int:
        """See Catalog."""
        tables = (read_columns(part, ["path"]) for part in self._store.parts if part.overlaps(after, before))
        return sum(int(pc.sum(between(table, after, before)).as_py() or 0) for table in tables)

    def mark_missing(self, paths: list[str], since: dt.datetime) -> None:
        """See Catalog."""
        for number, named in self._store.by_part(paths):
            self._store.edit(number, partial(marked, paths=named, since=pa.scalar(since, TIME)))

    def clear_missing(self, paths: list[str]) -> None:
        """See Catalog."""
        for number, named in self._store.by_part(paths):
            self._store.edit(number, partial(marked, paths=named, since=None))

    def clear_missing_between(self, after: str, before: str, archive: str) -> None:
        """See Catalog."""
        since = None
        for number, _ in self._store.by_part([archive]):
            table = read_columns(self._store.parts[number], ["path", "missing_since"])
            [since] = table.filter(pc.equal(table["path"], archive))["missing_since"].to_pylist() or [None]
        if since is None:
            return

        def cleared(table: pa.Table) -> pa.Table | None:
            later = pc.fill_null(pc.greater_equal(table["missing_since"], pa.scalar(since, TIME)), False)
            return with_missing(table, pc.and_(later, between(table, after, before)), pa.scalar(None, TIME))

        for number, part in enumerate(self._store.parts):
            if part.overlaps(after, before):
                self._store.edit(number, cleared)

    def count_moved(self, since: dt.datetime) -> int:
        """See Catalog."""
        ended = [dt.datetime.fromisoformat(run["ended"]) for run in self._runs if run["outcome"] == "finished"]
        last_finished = max(ended, default=since)
        missing, found = [], []
        for table in self._store.pages(["content_hash", "missing_since", "analyzed_at", "status"]):
            table = table.filter(analysed(table))
            missing.append(short_hashes(table.filter(pc.fill_null(pc.equal(table["missing_since"], pa.scalar(since, TIME)), False))))
            is_new = pc.and_(pc.is_null(table["missing_since"]), pc.greater(table["analyzed_at"], pa.scalar(last_finished, TIME)))
            found.append(short_hashes(table.filter(is_new)))
        if not missing:
            return 0
        (contents, lost), (others, there) = (np.unique(np.concatenate(part), return_counts=True) for part in (missing, found))
        _, at, other_at = np.intersect1d(contents, others, assume_unique=True, return_indices=True)
        return int(np.minimum(lost[at], there[other_at]).sum())

    def delete_files(self, paths: list[str]) -> None:
        """See Catalog."""
        for number, named in self._store.by_part(paths):
            self._store.edit(number, partial(without, paths=named))

    def devices(self) -> dict[str, str]:
        """See Catalog."""
        return dict(self._records["devices"])

    def store_device(self, folder: str, device: str) -> None:
        """See Catalog."""
        self._records["devices"][folder] = device
        self._store.folder.write_records()

    def finalize(self) -> int:
        """See Catalog: there are no indexes, and no analyses without a file."""
        self._commit()
        contents = [
            short_hashes(table.filter(pc.and_(analysed(table), pc.is_null(table["missing_since"]))))
            for table in self._store.pages(["content_hash", "missing_since", "status"])
        ]
        if not contents:
            return 0
        joined = np.concatenate(contents)
        return len(joined) - len(np.unique(joined))

    # --- RunJournal ---

    @property
    def _runs(self) -> list[dict[str, Any]]:
        runs: list[dict[str, Any]] = self._records["runs"]
        return runs

    def start_run(self, facts: dict[str, object]) -> None:
        """See RunJournal."""
        for run in self._runs:
            run["outcome"] = run["outcome"] or "killed"
        self._runs.append({"id": len(self._runs) + 1, "ended": None, "outcome": None, "error": None, **_plain(facts)})
        self._store.folder.write_records()

    def end_run(self, facts: dict[str, object], timeout: float | None = None) -> None:
        """See RunJournal."""
        self._runs[-1].update(_plain(facts))
        self._store.folder.write_records()


def _plain(facts: dict[str, object]) -> dict[str, Any]:
    """Values as JSON has them."""
    return {name: value.astimezone(dt.UTC).isoformat() if isinstance(value, dt.datetime) else value for name, value in facts.items()}
