"""Folders, lists and files to chunks of paths, in walk order.

A folder's entries are taken in the order of their whole paths' bytes, which is the order of the
database's primary key: rows that arrive sorted are written three times as fast. Of a folder with more
than MOST_SORTED entries so many are sorted at a time, and dealt before the next are read.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from midiopt.errors import SourceError
from midiopt.sources.filetypes import SUFFIXES, is_appledouble, is_archive, is_wanted
from midiopt.sources.path_set import PathSet
from midiopt.sources.paths import SLASH

CHUNK_FILES = 128
CHUNK_BYTES = 16 * 1024  # of paths: the four chunks of a worker fit into its pipe's buffer, so dealing never blocks
MOST_SORTED = 100_000  # entries of a folder in memory, 16 MB with paths of 70 bytes
ASKED = 512  # paths that are looked up together: numpy takes 40 us a time, however few
SIGN_EVERY = 0.1  # seconds between two signs of life of a walk that finds nothing new
MOST_PROBLEMS = 1000  # named; a tree without permissions has millions

NOT_REGULAR = b"-"  # before a path, inside this module: a FIFO or device that was named

Known = Callable[[list[bytes]], list[bool]]


class Chunk(NamedTuple):
    """Paths found together. An archive is a chunk by itself, and so is a named path that is not a regular file."""

    paths: list[bytes]
    is_archive: bool = False
    are_regular: bool = True


@dataclass
class Source:
    """What a run is asked to analyse.

    ``known``, if given, tells of paths which are unchanged since the last run; those are counted in
    ``skipped`` and left out. With ``follow_links`` a link in a folder is taken for
    what it leads to, and a folder that can be reached twice is walked once.
    """

    roots: list[bytes]
    follow_links: bool = False
    known: Known | None = None
    found: int = 0
    skipped: int = 0
    appledouble: int = 0  # files that macOS keeps beside files: `._name`, and what is in folders named __MACOSX
    exhausted: bool = False  # everything was found; `found` is the total
    problems: list[str] = field(default_factory=list)  # folders that could not be read
    untold: int = 0  # more of them
    _walked: set[tuple[int, int]] = field(default_factory=set)  # device and inode of folders, when links are followed

    @classmethod
    def of(cls, arguments: Iterable[str | os.PathLike[str]], follow_links: bool = False) -> Source:
        """From the SOURCE arguments of the command line. Raises SourceError for one that does not exist."""
        roots = []
        for argument in arguments:
            path = os.fsencode(argument)
            if path.startswith(b"@"):
                if not os.path.exists(path[1:]):
                    raise SourceError(f"there is no list {os.fsdecode(path[1:])!r} (a SOURCE that begins with @ names a file of paths)")
                if os.path.isdir(path[1:]) or not os.access(path[1:], os.R_OK):
                    raise SourceError(f"the list {os.fsdecode(path[1:])!r} cannot be read")
                roots.append(path)
            elif os.path.isdir(path) and not os.access(path, os.R_OK | os.X_OK):
                raise SourceError(f"the folder {os.fsdecode(path)!r} cannot be read")
            elif os.path.lexists(path):
                roots.append(os.path.abspath(path))
            else:
                raise SourceError(f"there is no file or folder {os.fsdecode(path)!r}")
        if not roots:
            raise SourceError("name at least one file, folder or @list")
        return cls(sorted(set(roots), key=lambda root: root + b"/"), follow_links)

    def chunks(self) -> Iterator[Chunk]:
        """The paths still to be analysed, at most CHUNK_FILES and CHUNK_BYTES at a time; an archive is a chunk by itself.

        After SIGN_EVERY seconds what has been found comes, were it nothing, so that the run can look after itself.
        """
        chunk: list[bytes] = []
        size = 0
        sign_at = time.monotonic() + SIGN_EVERY
        for paths in self._new_paths():
            for path in paths:
                if path[0] != SLASH:
                    yield Chunk([path.removeprefix(NOT_REGULAR)], are_regular=False)
                    continue
                if is_archive(path):
                    yield Chunk([path], is_archive=True)
                    continue
                if len(chunk) == CHUNK_FILES or (chunk and size + len(path) > CHUNK_BYTES):
                    yield Chunk(chunk)
                    chunk, size = [], 0
                chunk.append(path)
                size += len(path) + 1
            if time.monotonic() > sign_at:
                yield Chunk(chunk)
                chunk, size = [], 0
                sign_at = time.monotonic() + SIGN_EVERY
        if chunk:
            yield Chunk(chunk)
        if self.untold:
            self.problems.append(f"{self.untold:,} folders more")
        self.exhausted = True

    def _new_paths(self) -> Iterator[list[bytes]]:
        asked: list[bytes] = []
        for paths in self._paths():
            self.found += len(paths)
            if self.known is None:
                yield paths
                continue
            asked += paths
            if len(asked) < ASKED:
                yield []
                continue
            yield self._unknown(asked)
            asked = []
        if asked:
            yield self._unknown(asked)

    def _unknown(self, paths: list[bytes]) -> list[bytes]:
        assert self.known is not None
        new = [path for path, known in zip(paths, self.known(paths), strict=True) if not known]
        self.skipped += len(paths) - len(new)
        return new

    def _paths(self) -> Iterator[list[bytes]]:
        """Every path once, at most ASKED at a time. They are remembered only where a source could name one again."""
        if not _may_overlap(self.roots):
            return self._all_paths()
        seen = PathSet()
        return ([path for path in paths if seen.add(path) == 1] for paths in self._all_paths())

    def _all_paths(self) -> Iterator[list[bytes]]:
        for root in self.roots:
            if root.startswith(b"@"):
                with open(root[1:], "rb") as lines:
                    for line in lines:
                        for path in line.rstrip(b"\r\n").split(b"\0"):  # `find -print0` ends names with NUL
                            if path:
                                yield from self._named(os.path.abspath(path))
            else:
                yield from self._named(root)

    def _named(self, path: bytes) -> Iterator[list[bytes]]:
        """A path that was named by the user: a folder, or a file whatever it is called."""
        info = _stat(path)
        if info and stat.S_ISDIR(info.st_mode):
            yield from self._walk(path)
        elif info and not stat.S_ISREG(info.st_mode):
            yield [NOT_REGULAR + path]
        else:
            yield [path]

    def _walk(self, folder: bytes) -> Iterator[list[bytes]]:
        """Files below a folder whose suffix counts, some at a time; an empty list may come, too."""
        stack = [self._entries(folder)]
        while stack:
            for found in stack[-1]:
                if isinstance(found, bytes):
                    stack.append(self._entries(found))
                    break
                yield found
            else:
                stack.pop()

    def _entries(self, folder: bytes) -> Iterator[list[bytes] | bytes]:
        """What counts in a folder, in order: lists of files, and folders."""
        try:
            if self.follow_links and not self._first_visit(folder):
                return
            is_plain = not self.follow_links and not is_appledouble(folder)
            with os.scandir(folder) as found:
                while entries := list(islice(found, MOST_SORTED)):
                    some = []
                    for entry in entries:
                        name = entry.name
                        # What most entries are, at once: 0.3 us less for each.
                        if is_plain and name.endswith(SUFFIXES) and b"._" not in name and entry.is_file(follow_symlinks=False):
                            some.append(entry.path)
                        elif counted := self._entry(entry):
                            some.append(counted)
                    some.sort()  # "a.mid" before "a/b.mid": the slash puts a folder where its files' paths belong
                    yield from _runs(some)
        except OSError as problem:
            self._note(folder, problem)

    def _entry(self, entry: os.DirEntry[bytes]) -> bytes | None:
        """The path of an entry that counts; that of a folder ends with a slash."""
        follow = self.follow_links
        counts = is_wanted(entry.name)
        try:
            if entry.is_dir(follow_symlinks=follow):
                return entry.path + b"/"
            # With links followed a broken one counts: it ends as `unreadable`, with the reason.
            if not counts or not (entry.is_file(follow_symlinks=follow) or (follow and not os.path.exists(entry.path))):
                return None
        except OSError as problem:  # a circle of links, or one into a folder that may not be entered
            if not counts:
                self._note(entry.path, problem)
                return None
        if is_appledouble(entry.path):
            self.appledouble += 1
            return None
        return entry.path

    def _note(self, path: bytes, problem: OSError) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(f"{os.fsdecode(path)}: {problem.strerror}")
        else:
            self.untold += 1

    def _first_visit(self, folder: bytes) -> bool:
        info = os.stat(folder)
        identity = info.st_dev, info.st_ino
        if identity in self._walked:
            return False
        self._walked.add(identity)
        return True


def _runs(paths: list[bytes]) -> Iterator[list[bytes] | bytes]:
    """Lists of at most ASKED files, and between them the folders; last an empty list, so that something comes from each folder."""
    folders = [i for i, path in enumerate(paths) if path[-1] == SLASH]
    begin = 0
    for end in (*folders, len(paths)):
        for at in range(begin, end, ASKED):
            yield paths[at : min(at + ASKED, end)]
        if end < len(paths):
            yield paths[end]
        begin = end + 1
    yield []


def _stat(path: bytes) -> os.stat_result | None:
    try:
        return os.stat(path)
    except (OSError, ValueError):
        return None


def _may_overlap(roots: list[bytes]) -> bool:
    """Whether one of the sorted roots lies in another, or is a list, which may name anything."""
    return any(
        root.startswith(b"@") or any(root.startswith(outer.rstrip(b"/") + b"/") for outer in roots[:i]) for i, root in enumerate(roots)
    )
