"""The walk: folders, lists and files to pages of paths.

The entries of a folder come in the order of the bytes of their whole paths, the order of the database's primary key:
rows that arrive sorted are written three times as fast. In a folder with more than MAX_SORTED_ENTRIES entries, that many
are sorted at a time. On a slow disk the folders that come next are listed ahead, and the paths of a list looked up together.
"""

from __future__ import annotations

import errno
import os
import stat
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import compress, groupby, islice
from typing import NamedTuple

from midiopt.sources.devices import device_of, is_other_device
from midiopt.sources.file_state import FileState
from midiopt.sources.filetypes import SUFFIXES, is_appledouble, is_unread_archive, is_wanted
from midiopt.sources.listing import Listing
from midiopt.sources.lists import listed_paths
from midiopt.sources.path_set import PathSet
from midiopt.sources.paths import path_text
from midiopt.sources.roots import find_roots
from midiopt.sources.stat_many import StatMany
from midiopt.sources.thread_pool import ThreadPool
from midiopt.sources.urls import WEB, is_url
from midiopt.wording import counted

PAGE_PATHS = 512  # paths per page, which are looked up together: numpy takes 40 us per call, however few they are
MAX_SORTED_ENTRIES = 100_000  # of a folder in memory: 16 MB with paths of 70 bytes
MAX_THREADS = 64
MAX_FOLDERS_AHEAD = 64  # counted from the current one; the threads list them
MAX_LISTINGS = 4 * MAX_FOLDERS_AHEAD  # started and not yet walked, as new ones come before them; 256 KB each at most
MAX_PATIENCE = 64  # folders in a row that made no thread wait, until folders are no longer listed ahead
MAX_LISTED_PROBLEMS = 1000  # a tree without permissions has millions
SLASH = ord("/")


class Page(NamedTuple):
    """Paths found together, possibly none. A named path that is not a regular file (a FIFO, a device) is a page by itself.

    URLs and other paths are in different pages; ``states`` are what a listing says of objects.
    """

    paths: list[bytes]
    are_regular: bool = True
    states: list[FileState] | None = None


EMPTY_PAGE = Page([])


@dataclass
class WalkStats:
    """What a walk has found so far."""

    found: int = 0  # paths
    appledouble: int = 0  # AppleDouble files skipped
    links: int = 0  # symbolic links in folders, passed because they are not followed
    unread_archives: int = 0  # in folders, passed because their formats are not read
    at_end: bool = False  # `found` is the total
    problems: list[str] = field(default_factory=list)  # folders that could not be read
    unlisted_problems: int = 0  # beyond MAX_LISTED_PROBLEMS
    unread_named: int = 0  # files that a source or list names and that cannot be read
    first_unread_named: str = ""
    devices: dict[bytes, str | None] = field(default_factory=dict)  # of the folders that a source or list names, as the walk began
    names_objects: bool = False  # whether a source or list names objects; only requests tell which can be read

    def add_problem(self, path: bytes, problem: str | None) -> None:
        """Record a folder or entry, or a line of a list, that could not be read."""
        if len(self.problems) < MAX_LISTED_PROBLEMS:
            self.problems.append(f"{path_text(path) if is_url(path) else os.fsdecode(path)}: {problem}")
        else:
            self.unlisted_problems += 1

    def add_unread_named(self, path: str) -> None:
        """Record a file that a source or list names and that cannot be read."""
        self.first_unread_named = self.first_unread_named or path
        self.unread_named += 1

    def add_removed_folders(self) -> list[str]:
        """Record as problems the folders that are no longer on the device where their walk began, or nowhere; returns their texts."""
        removed = [
            folder for folder, began in self.devices.items() if began and (not (now := device_of(folder)) or is_other_device(began, now))
        ]
        for folder in removed:
            self.add_problem(folder, "the folder, or the disk that it lies on, was removed during the run")
        return [path_text(os.path.join(folder, b"")) for folder in removed]

    def sum_up_problems(self) -> None:
        """Add to the problems a line about those that have none, when the last file was read."""
        if self.unlisted_problems:
            self.problems.append(counted(self.unlisted_problems, "more folder"))
        if self.unread_named:
            more = self.unread_named - 1
            others = (
                f" and {more:,} more file{'s that are' if more > 1 else ' that is'} named: their rows say" if more else ": its row says"
            )
            self.problems.append(f"{self.first_unread_named}{others} why")


def walk(roots: list[bytes], stats: WalkStats, follow_links: bool = False) -> Iterator[Page]:
    """Every path once, at most PAGE_PATHS per page; an empty page shows that the walk goes on.

    ``roots`` come from :func:`midiopt.sources.roots.find_roots`. With ``follow_links`` symbolic links in folders are
    followed, and a folder that can be reached twice is walked once. Paths are remembered only where a root could name
    one again.
    """
    seen = PathSet() if _may_overlap(roots) else None
    folders, stat_many = _FolderWalk(stats, follow_links), StatMany()
    for root in roots:
        paths = listed_paths(root[1:], partial(stats.add_problem, root[1:])) if root.startswith(b"@") else iter((root,))
        while named := list(islice(paths, PAGE_PATHS)):
            for page in _named(named, stat_many, folders):
                if seen is not None:
                    page = _only_new(page, seen)
                stats.found += len(page.paths)
                yield page
    stats.at_end = True


def _only_new(page: Page, seen: PathSet) -> Page:
    """The paths of a page that none before it had."""
    is_new = [seen.add(path) == 1 for path in page.paths]
    states = list(compress(page.states, is_new)) if page.states else None
    return Page(list(compress(page.paths, is_new)), page.are_regular, states) if any(is_new) else EMPTY_PAGE


def iter_paths(arguments: Iterable[str | os.PathLike[str]]) -> Iterator[bytes]:
    """Every path that the sources name, as a run would find them."""
    return (path for page in walk(find_roots(arguments), WalkStats()) for path in page.paths)


def _named(paths: list[bytes], stat_many: StatMany, folders: _FolderWalk) -> Iterator[Page]:
    """The pages of paths and URLs that the user named, in their order."""
    for are_urls, group in groupby(paths, is_url):
        together = list(group)
        yield from _remote(together, folders.stats) if are_urls else _local(together, stat_many, folders)


def _remote(urls: Iterable[bytes], stats: WalkStats) -> Iterator[Page]:
    """The pages of URLs: objects with a suffix that is wanted, what lies below others in a store, and files on a web server."""
    from midiopt.sources.objects import ListedObjects  # which most runs never need

    for is_single, group in groupby(urls, is_object):
        if is_single:
            stats.names_objects = True
            yield Page(list(group))
            continue
        for url in group:
            try:
                for listed in ListedObjects(url):
                    names = [(key, state) for key, state in listed if is_wanted(key)]
                    stats.appledouble += sum(is_appledouble(key) for key, _ in names)
                    found = [(key, state) for key, state in names if not is_appledouble(key)]
                    for start in range(0, len(found), PAGE_PATHS):
                        part = found[start : start + PAGE_PATHS]
                        yield Page([key for key, _ in part], states=[state for _, state in part])
                    yield EMPTY_PAGE
            except OSError as problem:
                stats.add_problem(url, problem.strerror)


def _local(paths: list[bytes], stat_many: StatMany, folders: _FolderWalk) -> Iterator[Page]:
    """The pages of paths: folders, or files with any suffix."""
    regular: list[bytes] = []
    modes = memoryview(stat_many(paths)).cast("q")[2::3]
    for path, mode in zip(paths, modes, strict=True):
        if not mode:  # it cannot be read: the worker finds out why
            folders.stats.add_unread_named(os.fsdecode(path))
        if stat.S_ISREG(mode) or not mode:
            regular.append(path)
            continue
        if regular:
            yield Page(regular)
            regular = []
        if stat.S_ISDIR(mode):
            yield from map(Page, folders.walk(path))
        else:
            yield Page([path], False)
    if regular:
        yield Page(regular)


def is_object(url: bytes) -> bool:
    """Whether a URL is that of one object: all on a web server, in a store those with a suffix that is wanted."""
    return url.startswith(WEB) or is_wanted(url)


class _FolderWalk:
    """Walks folders, and remembers those it has visited when links are followed."""

    def __init__(self, stats: WalkStats, follow_links: bool) -> None:
        self.stats = stats
        self.follow_links = follow_links
        self.visited: set[tuple[int, int]] = set()  # device and inode
        self._listings: dict[bytes, Listing] = {}  # of folders ahead
        self._threads: ThreadPool | None = None
        self._patience = 0  # 0: folders are not listed ahead

    def walk(self, folder: bytes) -> Iterator[list[bytes]]:
        """Lists of the wanted files below a folder that a source or list names, some of them empty."""
        self.stats.devices[folder] = device_of(folder)
        ahead: deque[list[bytes] | bytes | Listing] = deque([os.path.join(folder, b"")])
        while ahead:
            match ahead.popleft():
                case list() as files:
                    yield files
                case bytes() as path:
                    listing = self._listings.pop(path, None) or Listing(path, self.follow_links)
                    if self._patience:
                        self._list_ahead(ahead)
                    ahead.extendleft(reversed(self._next_part(listing, is_first=True)))
                case listing:
                    ahead.extendleft(reversed(self._next_part(listing, is_first=False)))

    def _next_part(self, listing: Listing, is_first: bool) -> list[list[bytes] | bytes | Listing]:
        """The wanted entries of a folder, in order: lists of files, folders, and at the end the folder if it has more."""
        files, folders, broken = listing.take(MAX_SORTED_ENTRIES)
        self._patience = MAX_PATIENCE if listing.waited else max(0, self._patience - 1)
        self.stats.links += listing.links
        if is_first and (identity := listing.identity):
            if identity in self.visited:
                return []
            self.visited.add(identity)
        paths = self._wanted(listing.path, files)
        paths += folders
        paths += [path for path, error in broken if self._is_wanted_broken(path, error)]
        paths.sort()
        parts: list[list[bytes] | bytes | Listing] = list(_split_at_folders(paths))
        if listing.error:
            self.stats.add_problem(listing.path, listing.error)
        elif not listing.at_end:
            parts.append(listing)
        return parts

    def _list_ahead(self, ahead: Iterable[list[bytes] | bytes | Listing]) -> None:
        """Start to list the folders that come next."""
        self._threads = self._threads or ThreadPool(MAX_THREADS)
        for path in islice(self._folders_ahead(ahead), MAX_FOLDERS_AHEAD):
            if path not in self._listings and len(self._listings) < MAX_LISTINGS:
                self._listings[path] = listing = Listing(path, self.follow_links)
                listing.start(self._threads)

    def _folders_ahead(self, ahead: Iterable[list[bytes] | bytes | Listing]) -> Iterator[bytes]:
        """The folders that come next, and those in them as far as they are known.

        When links are followed, a folder may turn out to have been visited before; what it holds is then not walked.
        """
        for folder in ahead:
            if isinstance(folder, bytes):
                yield folder
                listing = self._listings.get(folder)
                if listing and not self.follow_links:
                    yield from self._folders_ahead(listing.folders_so_far())

    def _wanted(self, folder: bytes, files: list[bytes]) -> list[bytes]:
        if is_appledouble(folder):
            return list(filter(self._is_wanted, files))
        # Most files take the short way.
        return [path for path in files if (path.endswith(SUFFIXES) and b"._" not in path) or self._is_wanted(path)]

    def _is_wanted(self, path: bytes) -> bool:
        if not is_wanted(path):
            self.stats.unread_archives += is_unread_archive(path) and not is_appledouble(path)
            return False
        if is_appledouble(path):
            self.stats.appledouble += 1
            return False
        return True

    def _is_wanted_broken(self, path: bytes, error: int) -> bool:
        """A broken link counts if its name is wanted: its row is `unreadable`, with the reason. Others may be folders."""
        if not is_wanted(path) and error != errno.ENOENT:  # a cycle of links, or a link into a folder without permission
            self.stats.add_problem(path, os.strerror(error))
        return self._is_wanted(path)


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
