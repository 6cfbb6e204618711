"""What a run needs of a database, in three protocols: a sink, a catalog of earlier results and a journal of runs.

A write-only sink, such as a set of files, implements Sink alone. A database that can be updated implements all three.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from midiopt.rows.batch import Batch

KnownFile = tuple[str, int, int, bool]
"""Path, size in bytes, mtime in ns, and whether the file needs no new analysis while size and mtime stay the same."""


class Sink(Protocol):
    """Writes the rows of one run. Every method raises SinkError when the database fails; committed rows stay.

    As a context manager a sink is flushed, unless an error is on its way, and closed.
    """

    shares_analyses: bool
    """Whether a file may refer to the analysis of its content in an earlier batch; else its own batch must have that, too."""

    commits_in_order: bool
    """Whether no row of a batch is committed before those of the batches that were written before it."""

    def write(self, batch: Batch) -> None:
        """Commit the rows of all tables in one transaction, or none of them.

        A sink that commits in the background returns as soon as it has room for another batch; ``flush`` waits for all
        commits. An error is then raised by a later call and by every call after it. A file is never committed before its
        analysis, even if they are in different batches. A stored row is replaced only if a column differs that is not
        volatile, so writing a batch twice changes nothing. Of several rows with the same key in one batch the last one counts.
        The tracks of a content, if the batch has any, replace all that are stored.
        """

    def flush(self) -> None:
        """Wait until every written batch is committed."""

    def close(self) -> None:
        """Release the lock. Batches whose commit has not begun are dropped. Closing twice does nothing."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None: ...


class PartsSink(Protocol):
    """A sink into whose folder the tasks of an executor may write their rows themselves."""

    parts_folder: str
    """Its absolute path."""

    def adopt(self, name: str) -> None:
        """Commit what a task has written there under this name, one row a path as ever. Raises SinkError if it is not there."""


class Catalog(Protocol):
    """What earlier runs have stored. Every method raises SinkError when the database fails.

    Methods that may take long raise Stopped when the run is asked to end.
    """

    content_key: bytes
    """The secret key of the content hashes in this database, made at random with it."""

    def iter_files(self, keep_old: bool = False, tracks: bool = False) -> Generator[list[KnownFile]]:
        """All files, in pages of some thousand rows; after a broken connection they come again from the first one. Read them
        to the end or close the generator before the first write.

        A file needs no new analysis if it is settled (ok, repaired, rejected, or opened without an error) by this version of
        the analyser or a newer one; with ``keep_old`` by any version. With ``tracks``, the tracks of its content must be stored
        by such a version, too, and of an archive those of all its members.
        """

    def iter_content_hashes(self, tracks: bool = False) -> Generator[bytes]:
        """The 16-byte hashes of contents whose copies need no analysis: `ok` with this version of the analyser, and stored
        in `analyses`; with ``tracks``, those in `tracks`, too. In pages as ``iter_files``, each with its hashes joined."""

    def missing_paths(self) -> Generator[list[str]]:
        """The paths of the files that are missing, in pages as ``iter_files``."""

    def last_missing(self) -> dt.datetime | None:
        """The latest time since when a file is missing; None if none is."""

    def paths_between(self, after: str, before: str, missing: bool = False) -> list[str]:
        """The first paths between these two in the order of their bytes, at most some thousand: of files that are missing, or of others."""

    def count_between(self, after: str, before: str) -> int:
        """The number of all paths between these two."""

    def mark_missing(self, paths: list[str], since: dt.datetime) -> None:
        """Set `missing_since` of these paths unless it is set. Writing the row of a path clears it."""

    def clear_missing(self, paths: list[str]) -> None:
        """Clear `missing_since` of these paths."""

    def clear_missing_between(self, after: str, before: str, archive: str) -> None:
        """Clear it of the paths between these two that are missing no longer than this archive."""

    def count_moved(self, since: dt.datetime) -> int:
        """How many of the files marked with this time have moved: their bytes are those of another path, which is new or changed since
        the last finished run. Each such path counts for one file."""

    def delete_files(self, paths: list[str]) -> None:
        """Delete the rows of these paths from `files`."""

    def devices(self) -> dict[str, str]:
        """By folder, the device that ``store_device`` was told."""

    def store_device(self, folder: str, device: str) -> None:
        """Store on which device a folder lies; another run is told."""

    def finalize(self) -> int:
        """After a complete run: create the indexes, which would slow down every write, and delete analyses without a file.

        Returns the number of duplicates: analysed files whose content an earlier file has. If interrupted, the next run does
        this; a partial result is rolled back.
        """


class RunJournal(Protocol):
    """The table `runs`. Every method raises SinkError when the database fails."""

    def start_run(self, facts: dict[str, object]) -> None:
        """Insert a row with these columns. Earlier rows without an outcome become `killed`."""

    def end_run(self, facts: dict[str, object], timeout: float | None = None) -> None:
        """Complete the row of ``start_run``; `timeout` replaces the sink's own for this statement."""


class Database(Sink, Catalog, RunJournal, Protocol):
    """All three over one database. Opening it takes the lock of a run and creates or upgrades the tables."""
