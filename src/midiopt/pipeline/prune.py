"""Files that have disappeared since an earlier run, and members that a changed archive no longer has."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator

import numpy as np

from midiopt.errors import Stopped
from midiopt.pipeline.file_index import Known
from midiopt.rows.batch import Batch
from midiopt.run_log import event
from midiopt.schema import ANALYSED, OPENED
from midiopt.sinks.base import Catalog
from midiopt.sources.filetypes import is_archive
from midiopt.sources.paths import path_bytes, path_text

INSIDE = "!/"  # between an archive and its member
PAST = "!0"  # the character after the slash: no member's path comes after it


class Gone:
    """What a run finds gone: counted, told to the log, and deleted when the user wants that.

    An archive that was opened to its end tells which of its members are gone. One that could not be read, or
    an archive inside it that could not, says nothing of what it may hold: those rows stay.
    """

    def __init__(self, catalog: Catalog, known: Known, prune: bool, should_stop: Callable[[], bool]) -> None:
        self.catalog = catalog
        self.should_stop = should_stop
        self.known = known
        self.prune = prune
        self.count = 0
        self.shut: set[str] = set()  # archives inside others that were not opened

    def of_archive(self, batch: Batch, settled: bool) -> Batch:
        """Look at rows of an archive's members, and, when `settled`, at what is missing: its own row is the last then.

        While rows of missing members stay, the archive's row says so, and the next run opens it again.
        """
        if not len(self.known):
            return batch
        statuses = batch.files["status"]
        paths = [batch.heap[at : at + length].decode(errors="replace") for at, length in batch.files["path"].tolist()]
        self.known.meet(paths)
        unread = np.flatnonzero(~np.isin(statuses, (*ANALYSED, OPENED))).tolist()
        self.shut.update(paths[i] for i in unread if is_archive(paths[i].encode()))
        if not settled or statuses[-1] != OPENED:
            return batch
        before = self.count
        for page in _pages(self.catalog, paths[-1] + INSIDE, paths[-1] + PAST):
            unmet = self.known.unmet(page)
            self._tell([path for path, is_unmet in zip(page, unmet, strict=True) if is_unmet and not self._may_hold(path)])
        lost = self.count - before
        return batch if self.prune or not lost else _with_error(batch, f"{lost:,} of its members are gone; their rows are kept")

    def _may_hold(self, path: str) -> bool:
        """Whether a member lies in an archive that was not opened."""
        while INSIDE in path:
            path = path.rpartition(INSIDE)[0]
            if path in self.shut:
                return True
        return False

    def below(self, roots: list[bytes]) -> None:
        """Look for paths in the database below the folders among ``roots`` that a whole run did not meet and that do
        not exist any more."""
        if not len(self.known) or self.known.met.all():
            return
        kept = ""
        for folder in sorted(path_text(root.rstrip(b"/")) + "/" for root in roots if os.path.isdir(root)):
            if kept and folder.startswith(kept):
                continue
            kept = folder
            for page in _pages(self.catalog, folder, folder[:-1] + "0"):
                met = self.known.has_met(page)
                self._tell([path for path, is_met in zip(page, met, strict=True) if not is_met and self._is_gone(path)])

    def _is_gone(self, path: str) -> bool:
        if self.should_stop():  # a disk may take its time for each
            raise Stopped("the search for files that are gone was left")
        return not _exists(path)

    def _tell(self, paths: list[str]) -> None:
        self.count += len(paths)
        for path in paths:
            event("gone", path=path, deleted=self.prune)
        if self.prune and paths:
            self.catalog.delete_files(paths)


def _pages(catalog: Catalog, after: str, before: str) -> Iterator[list[str]]:
    """Paths of the database between these two, some thousand at a time; they may be deleted meanwhile."""
    while page := catalog.paths_between(after, before):
        after = page[-1]
        yield page


def _exists(path: str) -> bool:
    """Whether a file is there, or the archive it is a member of; what cannot be asked counts as there."""
    while True:
        try:
            os.lstat(path_bytes(path))
        except OSError as problem:
            if problem.errno not in (errno.ENOENT, errno.ENOTDIR):
                return True
        else:
            return True
        path, member, _ = path.rpartition(INSIDE)
        if not member:
            return False


def _with_error(batch: Batch, error: str) -> Batch:
    """The batch with an error for its last file."""
    files, text = batch.files.copy(), error.encode()
    files["error"][-1] = len(batch.heap), len(text)
    return Batch(files, batch.analyses, batch.heap + text)
