"""What earlier runs have stored, for a run that writes nothing."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Generator, Iterator
from itertools import islice
from typing import Any

from midiopt.library.snapshot import Snapshot
from midiopt.sinks import missing_sql
from midiopt.sinks.base import KnownFile
from midiopt.sinks.sql import PAGE_ROWS, select_files
from midiopt.sources.file_state import FileState

PATHS_PER_QUERY = 500


class ReadOnlyCatalog:
    """A Catalog over a library, or over nothing. What a run would write is remembered instead."""

    content_key = b""

    def __init__(self, library: Snapshot | None) -> None:
        self._library = library
        self.marked: list[str] = []
        """Paths that the run would mark as missing."""
        self.cleared: list[str] = []
        """Paths of missing files that are back unchanged."""
        self._cleared_members: list[tuple[str, str]] = []
        self._missing: list[str] | None = None  # sorted; the marks of the database and of this run

    def iter_files(self, keep_old: bool = False, tracks: bool = False) -> Generator[list[KnownFile]]:
        """See Catalog."""
        yield from self._pages(select_files(keep_old, tracks))

    def iter_content_hashes(self, tracks: bool = False) -> Generator[bytes]:
        """Nothing is analysed, so no content need be known."""
        yield from ()

    def missing_paths(self) -> Generator[list[str]]:
        """See Catalog."""
        for page in self._pages(missing_sql.SELECT_MISSING):
            yield [path for (path,) in page]

    def last_missing(self) -> dt.datetime | None:
        """See Catalog: not asked for, since nothing is marked."""
        return None

    def paths_between(self, after: str, before: str, missing: bool = False) -> list[str]:
        """See Catalog. Ask for missing files when all are marked: their list is made once."""
        if not self._library:
            return []
        if not missing:
            return [path for (path,) in self._library.rows(missing_sql.select_paths(self._library.dialect, missing), [after, before])]
        if self._missing is None:
            self._missing = sorted(self._marked_paths())
        first = bisect_right(self._missing, after)
        return self._missing[first : min(first + PAGE_ROWS, bisect_left(self._missing, before))]

    def count_between(self, after: str, before: str) -> int:
        """See Catalog."""
        if not self._library:
            return 0
        [(count,)] = self._library.rows(missing_sql.count_paths(self._library.dialect), [after, before])
        return int(count)

    def mark_missing(self, paths: list[str], since: dt.datetime) -> None:
        """Remember them."""
        self.marked += paths

    def clear_missing(self, paths: list[str]) -> None:
        """Remember them."""
        self.cleared += paths

    def clear_missing_between(self, after: str, before: str, archive: str) -> None:
        """Remember them; of its members, also those that the archive had lost before."""
        self._cleared_members.append((after, before))

    def count_moved(self, since: dt.datetime) -> int:
        """The bytes of new files are not known."""
        return 0

    def delete_files(self, paths: list[str]) -> None:
        """Nothing is deleted."""

    def devices(self) -> dict[str, str]:
        """See Catalog."""
        return missing_sql.devices(list(self._library.rows(missing_sql.SELECT_DEVICES))) if self._library else {}

    def store_device(self, folder: str, device: str) -> None:
        """Nothing is stored."""

    def finalize(self) -> int:
        """Nothing is indexed."""
        return 0

    def states(self, paths: list[str]) -> Iterator[tuple[str, FileState]]:
        """Paths with the size and modification time that the database has."""
        if not self._library:
            return
        dialect = self._library.dialect
        for start in range(0, len(paths), PATHS_PER_QUERY):
            part = paths[start : start + PATHS_PER_QUERY]
            query = f"SELECT path, size_bytes, mtime_ns FROM files WHERE path IN {dialect.values(len(part))} ORDER BY path"
            for path, size, mtime_ns in self._library.rows(query, part):
                yield path, FileState(size, mtime_ns)

    def _marked_paths(self) -> set[str]:
        before = {path for page in self.missing_paths() for path in page} - set(self.cleared)
        return set(self.marked) | {path for path in before if not any(first < path < end for first, end in self._cleared_members)}

    def _pages(self, query: str) -> Iterator[list[Any]]:
        rows = self._library.rows(query) if self._library else iter(())
        while page := list(islice(rows, PAGE_ROWS)):
            yield page
