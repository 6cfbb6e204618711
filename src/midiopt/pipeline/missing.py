"""Files that have disappeared since an earlier run, and members that a changed archive no longer has.

Their rows stay, with the time of the run that first missed them. A file that comes back loses the mark, also where it is unchanged
and so not analysed again. prune.py deletes rows.
"""

from __future__ import annotations

import datetime as dt
import errno
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np

from midiopt.errors import Stopped
from midiopt.pipeline.file_index import FileIndex
from midiopt.rows.batch import Batch
from midiopt.run_log import event
from midiopt.schema import ANALYSED, MEMBER_SEPARATOR, MEMBERS_END, OPENED
from midiopt.sinks.base import Catalog
from midiopt.sources.filetypes import is_archive
from midiopt.sources.paths import archive_in, path_bytes, path_text
from midiopt.sources.stat_many import StatMany
from midiopt.sources.urls import is_url
from midiopt.sources.walk import is_object

CHECKED_TOGETHER = 64  # files: a signal waits for one answer of a slow disk, or two
CLEARED_TOGETHER = 10_000  # paths
REPEAT = re.compile(rb"#\d+\Z")  # after the second member of a name, see archives.archive.Member


class PathRange(NamedTuple):
    """The paths below a folder, or those of the members of an archive: after the first of these texts and before the second one."""

    after: str
    before: str
    is_folder: bool

    @classmethod
    def of_folder(cls, folder: str) -> PathRange:
        """``folder`` ends with a slash."""
        return cls(folder, folder[:-1] + "0", True)

    @classmethod
    def of_members(cls, archive: str) -> PathRange:
        """Members at any depth."""
        return cls(archive + MEMBER_SEPARATOR, archive + MEMBERS_END, False)

    def __contains__(self, path: object) -> bool:
        return self.after.encode() < str(path).encode() < self.before.encode()


class Existence:
    """Tells which files are there, and of members, whether their archive is. A folder or FIFO in the place of a file is none."""

    def __init__(self) -> None:
        self._stat_many = StatMany(follow_links=False)

    def __call__(self, paths: list[str]) -> list[bool]:
        """Whether each is there. If the system cannot tell, it counts as there; a path with NUL is that of no file."""
        missing = (errno.ENOENT, errno.ENOTDIR)
        files = [path_bytes(archive_in(path) or path) for path in paths]
        if urls := list(filter(is_url, dict.fromkeys(files))):
            from midiopt.sources.objects import heads  # which most runs never need

            of_urls = dict(zip(urls, heads(urls), strict=True))
            others = iter(self([path for path, file in zip(paths, files, strict=True) if file not in of_urls]))
            return [of_urls[file][0] >= 0 or of_urls[file][1] not in missing if file in of_urls else next(others) for file in files]
        states = memoryview(self._stat_many(files)).cast("q")
        return [
            stat.S_ISREG(mode) or stat.S_ISLNK(mode) if mode else reason not in missing
            for reason, mode in zip(states[1::3], states[2::3], strict=True)
        ]


class MissingFiles:
    """Finds what is in the database but no longer there, and marks it with the time ``since``.

    An archive that was read to its end shows which of its members are missing. One that could not be read, or a nested
    archive that could not, shows nothing about its members. Raises Stopped when ``should_stop`` is true: a slow disk may
    take long for each file.
    """

    def __init__(
        self,
        catalog: Catalog,
        index: FileIndex,
        since: dt.datetime,
        should_stop: Callable[[], bool],
        exist: Callable[[list[str]], list[bool]] | None = None,
    ) -> None:
        self.newly = 0  # marked by this run
        self.cleared = 0
        self.changed_archives: list[PathRange] = []  # that lack members
        self.vanished_members: dict[PathRange, int] = {}  # of archives that a source names: how many
        self._catalog = catalog
        self._index = index
        self._since = since
        self._should_stop = should_stop
        self._exist = exist or Existence()
        self._unopened: set[str] = set()  # nested archives that could not be read

    def check_archive(self, batch: Batch, has_archive_row: bool) -> None:
        """Mark the members in these rows as visited. If the last row is the archive's own, find the missing members."""
        if not len(self._index):
            return
        statuses = batch.files["status"]
        paths = batch.paths()
        self._index.mark_visited(paths)
        unread = np.flatnonzero(~np.isin(statuses, (*ANALYSED, OPENED))).tolist()
        self._unopened.update(paths[i] for i in unread if is_archive(REPEAT.sub(b"", paths[i].encode())))
        if not has_archive_row or statuses[-1] not in (OPENED, *ANALYSED):  # a song under the name of an archive has no members
            return
        members, before = PathRange.of_members(paths[-1]), self.newly
        for page in pages(self._catalog, members):
            unvisited = self._index.known_but_unvisited(page)
            self._mark([path for path, is_missing in zip(page, unvisited, strict=True) if is_missing and not self._inside_unopened(path)])
        if self.newly > before or self._index.any_missing:
            self.changed_archives.append(members)

    def check_folders(self, sources: Iterable[PathRange]) -> None:
        """Mark files below the folders among the sources that a complete run has not visited and that no longer exist."""
        self.clear_returned(at_least=1)
        vanished = self._index.vanished
        self._mark([path for path, is_new in zip(vanished, self._index.known_but_unvisited(vanished), strict=True) if is_new])
        for path in vanished:
            if is_archive(path.encode(errors="surrogateescape")):
                members = PathRange.of_members(path)
                for page in pages(self._catalog, members):
                    self._mark(page)
                self.vanished_members[members] = sum(map(len, pages(self._catalog, members, missing=True)))
        if self._index.all_visited():
            return
        for folder in sources:
            for page in pages(self._catalog, folder) if folder.is_folder else ():
                visited = self._index.was_visited(page)
                self._mark(self._missing([path for path, was_visited in zip(page, visited, strict=True) if not was_visited]))

    def clear_returned(self, at_least: int = CLEARED_TOGETHER) -> None:
        """Clear the marks of files that are back and unchanged, if there are so many; with an archive, those of its members."""
        paths = self._index.returned
        if len(paths) < at_least:
            return
        for path in paths:
            if is_archive(path.encode()):
                members = PathRange.of_members(path)
                self._catalog.clear_missing_between(members.after, members.before, path)
        self._catalog.clear_missing(paths)
        self.cleared += len(paths)
        paths.clear()

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

    def _mark(self, paths: list[str]) -> None:
        if paths:
            self._catalog.mark_missing(paths, self._since)
            self.newly += len(paths)
        for path in paths:
            event("gone", path=path)


def pages(catalog: Catalog, paths: PathRange, missing: bool = False) -> Iterator[list[str]]:
    """The files in a range of paths that are missing, or the others; some thousand at a time. They may be changed between two pages."""
    after = paths.after
    while page := catalog.paths_between(after, paths.before, missing):
        after = page[-1]
        yield page


def no_longer_known(catalog: Catalog, gone: Iterable[bytes]) -> list[str]:
    """A sentence for each source that is gone and below which the database knows no file: its name may be misspelt."""
    return [
        f"there is no file or folder {os.fsdecode(path)!r}"
        for path in gone
        if not any(pages(catalog, PathRange.of_folder(path_text(path + b"/"))))
    ]


def _is_folder(root: bytes) -> bool:
    """Whether a run finds what lies below a root; never so for a @list."""
    return not is_object(root) if is_url(root) else os.path.isdir(root)


def sources_of(roots: list[bytes], changed_archives: list[PathRange], gone: Iterable[bytes] = ()) -> list[PathRange]:
    """The folders and archives among the roots, archives that lack members, and folders that are gone; none that lies in another folder."""
    folders: list[PathRange] = []
    for folder in sorted(path_text(root.rstrip(b"/") + b"/") for root in (*filter(_is_folder, roots), *gone)):
        if not folders or not folder.startswith(folders[-1].after):
            folders.append(PathRange.of_folder(folder))
    named = (PathRange.of_members(path_text(root)) for root in roots if is_archive(root) and not root.startswith(b"@"))
    archives = dict.fromkeys(archive for archive in (*named, *changed_archives) if not any(archive.after in folder for folder in folders))
    return [*folders, *archives]
