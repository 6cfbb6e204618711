"""What a catalog says of files that are missing, and of the devices of folders: the statements, and the methods that both databases share.

A missing file keeps its row, with the time since when a run misses it. A partial index makes all of them cheap while few are missing.
"""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from midiopt.sinks.dialects import Dialect
from midiopt.sinks.sql import PAGE_ROWS, upsert_meta

SELECT_MISSING = "SELECT path FROM files WHERE missing_since IS NOT NULL"
LAST_MISSING = "SELECT max(missing_since) FROM files WHERE missing_since IS NOT NULL"
DEVICE_KEY = "device "  # begins the key of a folder's device in `meta`
SELECT_DEVICES = f"SELECT key, value FROM meta WHERE substr(key, 1, {len(DEVICE_KEY)}) = '{DEVICE_KEY}'"


def select_paths(dialect: Dialect, missing: bool) -> str:
    """The query of ``Catalog.paths_between``, with two values."""
    value, state = dialect.placeholder, "IS NOT NULL" if missing else "IS NULL"
    return f"SELECT path FROM files WHERE path > {value} AND path < {value} AND missing_since {state} ORDER BY path LIMIT {PAGE_ROWS}"


def count_paths(dialect: Dialect) -> str:
    """The query of ``Catalog.count_between``, with two values."""
    return f"SELECT count(*) FROM files WHERE path > {dialect.placeholder} AND path < {dialect.placeholder}"


def mark_missing(dialect: Dialect) -> str:
    """Mark one path in SQLite, a list of them in PostgreSQL: a time and the path or paths are its values."""
    return f"UPDATE files SET missing_since = {dialect.placeholder} WHERE {_paths(dialect)} AND missing_since IS NULL"


def clear_missing(dialect: Dialect) -> str:
    """The same for files that are back; without the time."""
    return f"UPDATE files SET missing_since = NULL WHERE {_paths(dialect)}"


def clear_members(dialect: Dialect) -> str:
    """For an archive that is back: its members went with it, but for those that it had lost before. Its path, twice what its members
    lie between, are the values."""
    value = dialect.placeholder
    return (
        f"UPDATE files SET missing_since = NULL WHERE path > {value} AND path < {value}"
        f" AND missing_since >= (SELECT missing_since FROM files WHERE path = {value})"
    )


def count_moved(dialect: Dialect) -> str:
    """How many of the files missing since a time (a value, three times) have been found again: another path, analysed since the last
    finished run, has their bytes. Each such path counts once."""
    value = dialect.placeholder
    missing = f"SELECT analysis_id, count(*) AS files FROM files WHERE missing_since = {value} AND analysis_id IS NOT NULL GROUP BY 1"
    since = f"coalesce((SELECT max(ended) FROM runs WHERE outcome = 'finished'), {value})"
    found = (
        "SELECT analysis_id, count(*) AS files FROM files WHERE missing_since IS NULL"
        f" AND analysis_id IN (SELECT analysis_id FROM files WHERE missing_since = {value}) AND analyzed_at > {since} GROUP BY 1"
    )
    return (
        "SELECT coalesce(sum(CASE WHEN found.files < missing.files THEN found.files ELSE missing.files END), 0)"
        f" FROM ({missing}) AS missing JOIN ({found}) AS found ON found.analysis_id = missing.analysis_id"
    )


def devices(rows: list[tuple[str, str]]) -> dict[str, str]:
    """The rows of SELECT_DEVICES by folder."""
    return {key.removeprefix(DEVICE_KEY): value for key, value in rows}


def _paths(dialect: Dialect) -> str:
    return "path = ?" if dialect.database == "sqlite" else "path = ANY(%s)"


class MissingFilesCatalog(ABC):
    """The methods of Catalog about them, by three of a database: ``_rows``, ``_change`` and ``_change_files``."""

    _dialect: ClassVar[Dialect]

    @abstractmethod
    def _rows(self, query: str, *values: object) -> list[Any]:
        """All rows of a query."""

    @abstractmethod
    def _change(self, statement: str, *values: object) -> None:
        """Execute a statement."""

    @abstractmethod
    def _change_files(self, statement: str, paths: list[str], *values: object) -> None:
        """Execute a statement whose last value is a path, or a list of them: see _paths()."""

    def last_missing(self) -> dt.datetime | None:
        """See Catalog."""
        [(since,)] = self._rows(LAST_MISSING)
        return dt.datetime.fromisoformat(since) if isinstance(since, str) else since

    def paths_between(self, after: str, before: str, missing: bool = False) -> list[str]:
        """See Catalog."""
        return [path for (path,) in self._rows(select_paths(self._dialect, missing), after, before)]

    def count_between(self, after: str, before: str) -> int:
        """See Catalog."""
        [(count,)] = self._rows(count_paths(self._dialect), after, before)
        return int(count)

    def mark_missing(self, paths: list[str], since: dt.datetime) -> None:
        """See Catalog."""
        self._change_files(mark_missing(self._dialect), paths, since)

    def clear_missing(self, paths: list[str]) -> None:
        """See Catalog."""
        self._change_files(clear_missing(self._dialect), paths)

    def clear_missing_between(self, after: str, before: str, archive: str) -> None:
        """See Catalog."""
        self._change(clear_members(self._dialect), after, before, archive)

    def count_moved(self, since: dt.datetime) -> int:
        """See Catalog."""
        [(count,)] = self._rows(count_moved(self._dialect), since, since, since)
        return int(count)

    def delete_files(self, paths: list[str]) -> None:
        """See Catalog."""
        self._change_files(f"DELETE FROM files WHERE {_paths(self._dialect)}", paths)

    def devices(self) -> dict[str, str]:
        """See Catalog."""
        return devices(self._rows(SELECT_DEVICES))

    def store_device(self, folder: str, device: str) -> None:
        """See Catalog."""
        self._change(upsert_meta(self._dialect), DEVICE_KEY + folder, device)
