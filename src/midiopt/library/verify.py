"""Does the database hold what the installed version computes?"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from typing import Any

import numpy as np

from midiopt.library import queries
from midiopt.library.snapshot import Snapshot
from midiopt.limits import VERIFIED_FILES
from midiopt.pipeline.hash_table_writer import SharedHashTableWriter
from midiopt.pipeline.options import RunOptions
from midiopt.pipeline.pool import Result, WorkerPool
from midiopt.pipeline.sampling import ALL_PATHS, PathSample
from midiopt.pipeline.tasks import AnalyzeFiles, ReadMembers, Task
from midiopt.rows.batch import Batch
from midiopt.rows.decode import row_to_dict
from midiopt.schema import ANALYSED, ANALYSES, FILES, REJECTED, STATUSES, Column, Table
from midiopt.sources.archives.archive import state_at
from midiopt.sources.filetypes import is_archive
from midiopt.sources.paths import archive_in, is_truncated, path_bytes, path_text

FILES_PER_TASK = 128
KEYS_PER_QUERY = 128
COMPARABLE = tuple(STATUSES[i] for i in (*ANALYSED, REJECTED))
NOT_COMPARABLE = tuple(status for status in STATUSES if status not in COMPARABLE)  # an opened archive's row depends on its members

_UNCHANGED, _CHANGED, _GONE = "unchanged", "changed", "gone"


@dataclass(frozen=True)
class Difference:
    """A stored value that differs from the computed one; for a row that is missing the column is `the row`."""

    table: str
    key: str
    """The path, or the content hash in hexadecimal."""
    column: str
    stored: Any
    computed: Any
    path: str
    """Of the file, or of one with this content."""


@dataclass
class VerificationCounts:
    """Numbers of files, except for ``differing``."""

    checked: int = 0
    differing: int = 0
    """Number of values."""
    changed: int = 0
    """Changed since their analysis, they themselves or their archive."""
    gone: int = 0
    """No longer there, they themselves or their archive."""
    cut: int = 0
    """Not checked: the stored path is truncated, so the file cannot be opened."""
    unreadable: int = 0
    """In the whole database; like the next two, it has no facts to compare."""
    crashed: int = 0
    opened: int = 0


class Verification:
    """Analyses files of a database again and compares the rows. Nothing is written.

    ``sample`` is the number of randomly chosen files, None for all. Of an archive, only the members in the sample are analysed.
    """

    def __init__(self, library: Snapshot, sample: int | None = VERIFIED_FILES) -> None:
        self._library = library
        self._sample = sample
        self._members = ALL_PATHS  # of archives, to be analysed
        self._awaited_members = 0  # whose rows have not arrived
        self.counts = VerificationCounts(**queries.files_with_status(library, NOT_COMPARABLE))
        """Complete when all differences have been read."""

    def differences(self) -> Iterator[Difference]:
        """Every value that differs. Read them once, to the end."""
        paths: Iterable[str] = queries.paths_with_status(self._library, COMPARABLE, ordered=self._sample is None)
        if self._sample is not None:
            self._members, paths = PathSample.draw(paths, self._sample)
        key = queries.content_key(self._library)
        with contextlib.closing(SharedHashTableWriter(key)) as table, WorkerPool(RunOptions(), table, members=self._members) as pool:
            for results in pool.run(self._tasks(paths)):
                for difference in chain.from_iterable(map(self._compare, results)):
                    self.counts.differing += 1
                    yield difference
        self.counts.gone += self._awaited_members

    def _tasks(self, paths: Iterable[str]) -> Iterator[Task]:
        files: list[bytes] = []
        archive_states: dict[bytes, str] = {}  # other paths may come between an archive and its members
        for archive, group in group_by_archive(paths):
            if archive is not None:
                if archive not in archive_states:
                    archive_states[archive] = self._archive_state(archive)
                    if archive_states[archive] == _UNCHANGED:
                        yield ReadMembers(archive)
                self._count_members(archive_states[archive], sum(1 for _ in group))
                continue
            for text in group:
                path = path_bytes(text)
                if is_truncated(text) and not os.path.lexists(path):
                    self.counts.cut += 1
                    continue
                if b"\0" in path:  # a member of an archive that is gone: no file has such a name
                    self.counts.gone += 1
                    continue
                files.append(path)
                if len(files) == FILES_PER_TASK:
                    yield AnalyzeFiles(files)
                    files = []
        if files:
            yield AnalyzeFiles(files)

    def _archive_state(self, archive: bytes) -> str:
        """Whether an archive is what it was. Without a row of its own (no run has finished it) it counts as unchanged: its members
        are compared with their own rows."""
        stored = queries.file_state(self._library, path_text(archive))
        if stored is None:
            return _UNCHANGED
        try:
            state = state_at(archive)
        except OSError:
            return _GONE
        return _UNCHANGED if state == stored else _CHANGED

    def _count_members(self, archive_state: str, count: int) -> None:
        if archive_state == _CHANGED:
            self.counts.changed += count
        elif archive_state == _GONE:
            self.counts.gone += count
        else:
            self._awaited_members += count

    def _compare(self, result: Result) -> Iterator[Difference]:
        batch, is_archive_member = Batch.from_bytes(result.message), result.report is not None
        files = _computed_rows(FILES, batch)
        stored_files = self._stored_rows(FILES, list(files))
        paths: dict[bytes, str] = {}  # by content
        for path, file in files.items():
            stored = stored_files.get(path)
            if stored is None or stored["status"] not in COMPARABLE or not self._members.contains(path):
                continue  # a row that only came with its archive
            self._awaited_members -= is_archive_member
            if file["status"] == "unreadable" and not is_archive_member:
                self.counts.gone += 1
            elif (file["size_bytes"], file["mtime_ns"]) != (stored["size_bytes"], stored["mtime_ns"]):
                self.counts.changed += 1
            else:
                self.counts.checked += 1
                paths.setdefault(file["content_hash"], path)
                yield from _row_differences(FILES, path, path, stored, file)
        analyses = _computed_rows(ANALYSES, batch)
        contents = [content for content in paths if content in analyses]
        stored_analyses = self._stored_rows(ANALYSES, contents)
        for content in contents:
            yield from _row_differences(ANALYSES, content, paths[content], stored_analyses.get(content), analyses[content])

    def _stored_rows(self, table: Table, keys: Sequence[Any]) -> dict[Any, dict[str, Any]]:
        """In parts: a nested archive may have 100,000 members."""
        rows: dict[Any, dict[str, Any]] = {}
        for start in range(0, len(keys), KEYS_PER_QUERY):
            rows |= queries.rows_by_key(self._library, table, keys[start : start + KEYS_PER_QUERY])
        return rows


def group_by_archive(paths: Iterable[str]) -> Iterator[tuple[bytes | None, Iterator[str]]]:
    """Consecutive paths with the archive on disk that they name or lie in, None for other files.

    An archive may have two groups: in the order of paths, "a.zip .mid" is between "a.zip" and "a.zip!/1.mid".
    """

    def archive_of(text: str) -> bytes | None:
        path = path_bytes(archive_in(text) or text)
        return path if is_archive(path) else None

    return groupby(paths, archive_of)


def _computed_rows(table: Table, batch: Batch) -> dict[Any, dict[str, Any]]:
    rows = (row_to_dict(table, row, batch.heap) for row in batch.rows(table))
    return {row[table.key]: row for row in rows}


def _row_differences(
    table: Table, key: str | bytes, path: str, stored: dict[str, Any] | None, computed: dict[str, Any]
) -> Iterator[Difference]:
    shown_key = str(_shown(key))
    if stored is None:
        yield Difference(table.name, shown_key, "the row", None, "there", path)
        return
    for column in table:
        was, now = stored[column.name], computed[column.name]
        if not column.volatile and column.name != "analyzer_version" and not _is_same(column, was, now):
            yield Difference(table.name, shown_key, column.name, _shown(was), _shown(now), path)


def _is_same(column: Column, stored: Any, computed: Any) -> bool:
    """Whether two values are equal; 32-bit numbers may be stored as any number that rounds to them."""
    if stored is None or computed is None:
        return stored is computed
    if column.kind.is_single_precision:
        return np.array_equal(np.asarray(stored, np.float32), np.asarray(computed, np.float32))
    return bool(stored == computed)


def _shown(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value
