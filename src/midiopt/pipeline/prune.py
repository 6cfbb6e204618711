"""Files that have disappeared since an earlier run, and members that a changed archive no longer has."""

from __future__ import annotations

import dataclasses
import errno
import os
import re
from collections.abc import Callable, Iterator

import numpy as np

from midiopt.errors import Stopped
from midiopt.pipeline.file_index import FileIndex
from midiopt.pipeline.options import Prune
from midiopt.rows.batch import Batch
from midiopt.run_log import event
from midiopt.schema import ANALYSED, OPENED
from midiopt.sinks.base import Catalog
from midiopt.sources.filetypes import is_archive
from midiopt.sources.paths import MEMBER_SEPARATOR, archive_in, path_bytes, path_text
from midiopt.sources.stat_many import StatMany

MIN_SUSPICIOUS = 100  # missing files of a folder from which a share is looked at
MAX_MISSING_SHARE = 0.1  # of the known files of a folder
MEMBERS_END = "!0"  # follows every member in byte order: 0 is the character after the slash
CHECKED_TOGETHER = 64  # files: a signal waits for one answer of a slow disk, or two
REPEAT = re.compile(rb"#\d+\Z")  # after the second member of a name, see archives.archive.Member


class Existence:
    """Tells which files are there, and of members, whether their archive is."""

    def __init__(self) -> None:
        self._stat_many = StatMany(follow_links=False)

    def __call__(self, paths: list[str]) -> list[bool]:
        """Whether each is there. If the system cannot tell, it counts as there; a path with NUL is that of no file."""
        states = memoryview(self._stat_many([path_bytes(archive_in(path) or path) for path in paths])).cast("q")
        missing = (errno.ENOENT, errno.ENOTDIR)
        return [bool(mode) or reason not in missing for reason, mode in zip(states[1::3], states[2::3], strict=True)]


class MissingFiles:
    """Finds what is in the database but no longer there; counts it, logs it, and deletes it with ``prune``.

    A folder that looks like a disk that is not mounted keeps its rows, unless ``prune`` is ``"all"``: ``refusals`` has a sentence for
    each. It is empty or unreadable, or more than MIN_SUSPICIOUS of its files are missing and more than MAX_MISSING_SHARE of them.

    An archive that was read to its end shows which of its members are missing. One that could not be read, or a nested
    archive that could not, shows nothing about its members: their rows stay. Raises Stopped when ``should_stop`` is true:
    a slow disk may take long for each file.
    """

    def __init__(
        self,
        catalog: Catalog,
        index: FileIndex,
        prune: Prune,
        should_stop: Callable[[], bool],
        exist: Callable[[list[str]], list[bool]] | None = None,
    ) -> None:
        self.count = 0
        self.refusals: list[str] = []
        self._catalog = catalog
        self._index = index
        self._prune = prune
        self._should_stop = should_stop
        self._exist = exist or Existence()
        self._unopened: set[str] = set()  # nested archives that could not be read

    def check_archive(self, batch: Batch, has_archive_row: bool) -> Batch:
        """Mark the members in these rows as visited. If the last row is the archive's own, find the missing members.

        While rows of missing members stay, the archive's row says so, and the next run opens it again.
        """
        if not len(self._index):
            return batch
        statuses = batch.files["status"]
        paths = [batch.heap[at : at + length].decode(errors="replace") for at, length in batch.files["path"].tolist()]
        self._index.mark_visited(paths)
        unread = np.flatnonzero(~np.isin(statuses, (*ANALYSED, OPENED))).tolist()
        self._unopened.update(paths[i] for i in unread if is_archive(REPEAT.sub(b"", paths[i].encode())))
        if not has_archive_row or statuses[-1] != OPENED:
            return batch
        before = self.count
        for page in self._pages(paths[-1] + MEMBER_SEPARATOR, paths[-1] + MEMBERS_END):
            unvisited = self._index.known_but_unvisited(page)
            gone = [path for path, is_missing in zip(page, unvisited, strict=True) if is_missing and not self._inside_unopened(path)]
            self._handle(gone, bool(self._prune))
        missing = self.count - before
        return batch if self._prune or not missing else _with_error(batch, f"{missing:,} of its members are gone; their rows are kept")

    def check_folders(self, roots: list[bytes]) -> None:
        """Find files below the folders among ``roots`` that a complete run has not visited and that no longer exist."""
        if self._index.all_visited():
            return
        covered = ""
        for folder in sorted(path_text(root.rstrip(b"/") + b"/") for root in roots if os.path.isdir(root)):
            if covered and folder.startswith(covered):
                continue
            covered = folder
            self._check_folder(folder)

    def _check_folder(self, folder: str) -> None:
        """Find the missing files below a folder, whose name ends with a slash."""
        prune = bool(self._prune)
        if self._prune is True:
            known, missing = self._count_missing(folder)
            if not missing:
                return
            refusal = _refusal(folder, known, missing)
            self.refusals += [refusal] if refusal else []
            prune = refusal is None
        for _, gone in self._missing_below(folder):
            self._handle(gone, prune)

    def _count_missing(self, folder: str) -> tuple[int, int]:
        """The number of files below a folder that the database knows, and how many of them are missing."""
        known = missing = 0
        for files, gone in self._missing_below(folder):
            known += files
            missing += len(gone)
        return known, missing

    def _missing_below(self, folder: str) -> Iterator[tuple[int, list[str]]]:
        """Page by page, the number of files that the database knows below a folder, and those of them that are missing."""
        for page in self._pages(folder, folder[:-1] + "0"):
            visited = self._index.was_visited(page)
            unvisited = [path for path, was_visited in zip(page, visited, strict=True) if not was_visited]
            yield len(page), self._missing(unvisited)

    def _inside_unopened(self, path: str) -> bool:
        """Whether a member is inside a nested archive that could not be read."""
        while MEMBER_SEPARATOR in path:
            path = path.rpartition(MEMBER_SEPARATOR)[0]
            if path in self._unopened:
                return True
        return False

    def _missing(self, paths: list[str]) -> list[str]:
        missing = []
        for start in range(0, len(paths), CHECKED_TOGETHER):
            if self._should_stop():
                raise Stopped("the search for missing files was interrupted")
            together = paths[start : start + CHECKED_TOGETHER]
            missing += [path for path, exists in zip(together, self._exist(together), strict=True) if not exists]
        return missing

    def _handle(self, paths: list[str], prune: bool) -> None:
        self.count += len(paths)
        for path in paths:
            event("gone", path=path, deleted=prune)
        if prune and paths:
            self._catalog.delete_files(paths)

    def _pages(self, after: str, before: str) -> Iterator[list[str]]:
        """Paths in the database between these two, some thousand at a time. They may be deleted between two pages."""
        while page := self._catalog.paths_between(after, before):
            after = page[-1]
            yield page


def _refusal(folder: str, known: int, missing: int) -> str | None:
    """Why the rows of the missing files below a folder, at least one, are kept; None if they may be deleted."""
    kept = f"the rows of {missing:,} missing files are kept; --prune=all deletes them"
    try:
        with os.scandir(path_bytes(folder)) as entries:
            is_empty = next(entries, None) is None
    except OSError as problem:
        return f"{folder}: {problem.strerror}; {kept}"
    if is_empty:
        return f"{folder} is empty, as if its disk were not mounted; {kept}"
    if missing > MIN_SUSPICIOUS and missing > MAX_MISSING_SHARE * known:
        return f"{folder}: {missing:,} of {known:,} files are missing, more than a tenth; {kept}"
    return None


def _with_error(batch: Batch, error: str) -> Batch:
    """The batch with an error for its last file."""
    files, text = batch.files.copy(), error.encode()
    files["error"][-1] = len(batch.heap), len(text)
    return dataclasses.replace(batch, files=files, heap=batch.heap + text)
