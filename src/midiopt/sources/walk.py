"""The walk: folders, lists and files to pages of paths.

The entries of a folder come in the order of the bytes of their whole paths, the order of the database's primary key:
rows that arrive sorted are written three times as fast. In a folder with more than MAX_SORTED_ENTRIES entries, that many
are sorted at a time.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import NamedTuple

from midiopt.sources.filetypes import SUFFIXES, is_appledouble, is_wanted
from midiopt.sources.lists import listed_paths
from midiopt.sources.path_set import PathSet
from midiopt.sources.roots import find_roots

PAGE_PATHS = 512  # paths per page, which are looked up together: numpy takes 40 us per call, however few they are
MAX_SORTED_ENTRIES = 100_000  # of a folder in memory: 16 MB with paths of 70 bytes
MAX_LISTED_PROBLEMS = 1000  # a tree without permissions has millions
SLASH = ord("/")


class Page(NamedTuple):
    """Paths found together, possibly none. A named path that is not a regular file (a FIFO, a device) is a page by itself."""

    paths: list[bytes]
    are_regular: bool = True


EMPTY_PAGE = Page([])


@dataclass
class WalkStats:
    """What a walk has found so far."""

    found: int = 0  # paths
    appledouble: int = 0  # AppleDouble files skipped
    at_end: bool = False  # `found` is the total
    problems: list[str] = field(default_factory=list)  # folders that could not be read
    unlisted_problems: int = 0  # beyond MAX_LISTED_PROBLEMS

    def add_problem(self, path: bytes, problem: str | None) -> None:
        """Record a folder or entry, or a line of a list, that could not be read."""
        if len(self.problems) < MAX_LISTED_PROBLEMS:
            self.problems.append(f"{os.fsdecode(path)}: {problem}")
        else:
            self.unlisted_problems += 1


def walk(roots: list[bytes], stats: WalkStats, follow_links: bool = False) -> Iterator[Page]:
    """Every path once, at most PAGE_PATHS per page; an empty page shows that the walk goes on.

    ``roots`` come from :func:`midiopt.sources.roots.find_roots`. With ``follow_links`` symbolic links in folders are
    followed, and a folder that can be reached twice is walked once. Paths are remembered only where a root could name
    one again.
    """
    seen = PathSet() if _may_overlap(roots) else None
    folders = _FolderWalk(stats, follow_links)
    for root in roots:
        for path in listed_paths(root[1:], partial(stats.add_problem, root[1:])) if root.startswith(b"@") else (root,):
            for page in _named(path, folders):
                if seen is not None:
                    new = [path for path in page.paths if seen.add(path) == 1]
                    page = Page(new, page.are_regular) if new else EMPTY_PAGE
                stats.found += len(page.paths)
                yield page
    if stats.unlisted_problems:
        stats.problems.append(f"{stats.unlisted_problems:,} more folders")
    stats.at_end = True


def iter_paths(arguments: Iterable[str | os.PathLike[str]]) -> Iterator[bytes]:
    """Every path that the sources name, as a run would find them."""
    return (path for page in walk(find_roots(arguments), WalkStats()) for path in page.paths)


def _named(path: bytes, folders: _FolderWalk) -> Iterator[Page]:
    """The pages of a path that the user named: a folder, or a file with any suffix."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        mode = stat.S_IFREG  # the worker reports why it cannot be read
    if stat.S_ISDIR(mode):
        yield from map(Page, folders.walk(path))
    else:
        yield Page([path], stat.S_ISREG(mode))


class _FolderWalk:
    """Walks folders, and remembers those it has visited when links are followed."""

    def __init__(self, stats: WalkStats, follow_links: bool) -> None:
        self.stats = stats
        self.follow_links = follow_links
        self.visited: set[tuple[int, int]] = set()  # device and inode

    def walk(self, folder: bytes) -> Iterator[list[bytes]]:
        """Lists of the wanted files below a folder, some of them empty."""
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
        """The wanted entries of a folder, in order: lists of files, and folders."""
        try:
            if self.follow_links and not self._is_first_visit(folder):
                return
            with os.scandir(folder) as entries:
                while chunk := list(islice(entries, MAX_SORTED_ENTRIES)):
                    yield from _split_at_folders(self._wanted(folder, chunk))
        except OSError as problem:
            self.stats.add_problem(folder, problem.strerror)

    def _wanted(self, folder: bytes, entries: list[os.DirEntry[bytes]]) -> list[bytes]:
        """Sorted paths of the wanted entries. A folder's ends with a slash, so that "a.mid" sorts before "a/b.mid"."""
        is_plain = not self.follow_links and not is_appledouble(folder)
        paths = []
        for entry in entries:
            name = entry.name
            # Most entries take this short way: 0.3 us less for each.
            if is_plain and name.endswith(SUFFIXES) and b"._" not in name and entry.is_file(follow_symlinks=False):
                paths.append(entry.path)
            elif path := self._wanted_path(entry):
                paths.append(path)
        paths.sort()
        return paths

    def _wanted_path(self, entry: os.DirEntry[bytes]) -> bytes | None:
        follow = self.follow_links
        wanted = is_wanted(entry.name)
        try:
            if entry.is_dir(follow_symlinks=follow):
                return entry.path + b"/"
            # A broken link counts if links are followed: its row is `unreadable`, with the reason.
            if not wanted or not (entry.is_file(follow_symlinks=follow) or (follow and not os.path.exists(entry.path))):
                return None
        except OSError as problem:  # a cycle of links, or a link into a folder without permission
            if not wanted:
                self.stats.add_problem(entry.path, problem.strerror)
                return None
        if is_appledouble(entry.path):
            self.stats.appledouble += 1
            return None
        return entry.path

    def _is_first_visit(self, folder: bytes) -> bool:
        info = os.stat(folder)
        identity = info.st_dev, info.st_ino
        if identity in self.visited:
            return False
        self.visited.add(identity)
        return True


def _split_at_folders(paths: list[bytes]) -> Iterator[list[bytes] | bytes]:
    """Lists of at most PAGE_PATHS files, with the folders between them; at the end an empty list, so that every folder yields."""
    folders = [i for i, path in enumerate(paths) if path[-1] == SLASH]
    begin = 0
    for end in (*folders, len(paths)):
        for start in range(begin, end, PAGE_PATHS):
            yield paths[start : min(start + PAGE_PATHS, end)]
        if end < len(paths):
            yield paths[end]
        begin = end + 1
    yield []


def _may_overlap(roots: list[bytes]) -> bool:
    """Whether one of the sorted roots lies in another, or is a list, which may name anything."""
    return any(
        root.startswith(b"@") or any(root.startswith(outer.rstrip(b"/") + b"/") for outer in roots[:i]) for i, root in enumerate(roots)
    )
