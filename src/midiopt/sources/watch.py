"""Waiting for changes in folders: by inotify where there is one, else by searching them again and again.

Only names that a run reads count: a database, a log or a half-finished download with another name changes nothing.
"""

from __future__ import annotations

import ctypes
import os
import select
import struct
import time
from collections.abc import Collection, Iterator
from typing import Protocol

from midiopt.sources.filetypes import is_wanted
from midiopt.sources.system import has

# <sys/inotify.h>
IN_MODIFY, IN_CLOSE_WRITE, IN_MOVED_FROM, IN_MOVED_TO, IN_CREATE, IN_DELETE = 0x2, 0x8, 0x40, 0x80, 0x100, 0x200
IN_ATTRIB, IN_DELETE_SELF, IN_MOVE_SELF = 0x4, 0x400, 0x800
IN_Q_OVERFLOW, IN_ISDIR = 0x4000, 0x40000000
EVENTS = IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF
HEAD = struct.Struct("iIII")  # watch, mask, cookie, length of the name
BUFFER_BYTES = 64 << 10

POLL_INTERVAL = 1.0  # seconds between two searches
POLL_SHARE = 0.1  # of one core, at most, for searches
SETTLE_TIME = 2.0  # seconds without a change after which files are taken for complete


class Watch(Protocol):
    """Waits for changes. Those since the start count, also while nobody waits."""

    @property
    def settle_time(self) -> float:
        """Seconds without a change after which files are taken for complete."""

    def changed(self, timeout: float) -> bool:
        """Whether something changes within so many seconds."""

    def close(self) -> None:
        """Stop watching."""


def watch(roots: Collection[bytes], follow_links: bool = False) -> Watch:
    """Watch folders with all that is in them, and files."""
    if has("inotify"):
        try:
            return InotifyWatch(roots, follow_links)
        except OSError:  # more folders than fs.inotify.max_user_watches, or no more instances
            pass
    return PollingWatch(roots, follow_links)


def folders(root: bytes, follow_links: bool) -> Iterator[bytes]:
    """The folder and those in it, each once."""
    seen = set()
    for path, names, _ in os.walk(root, followlinks=follow_links):
        if follow_links:
            info = os.stat(path)
            if (info.st_dev, info.st_ino) in seen:
                names.clear()
                continue
            seen.add((info.st_dev, info.st_ino))
        yield path


class InotifyWatch:
    """Watches by inotify. Raises OSError where that cannot be."""

    settle_time = SETTLE_TIME

    def __init__(self, roots: Collection[bytes], follow_links: bool = False) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._follow_links = follow_links
        self._files = {root for root in roots if not os.path.isdir(root)}
        self._paths: dict[int, bytes] = {}
        self._descriptor = self._checked(self._libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK))
        try:
            for root in roots:
                if root in self._files:
                    self._add(os.path.dirname(root) or b".")
                else:
                    self._add_tree(root)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Close the descriptor, and with it all watches."""
        os.close(self._descriptor)

    def changed(self, timeout: float) -> bool:
        """Whether something changes within so many seconds; new folders are watched from then on."""
        end = time.monotonic() + timeout
        while select.select([self._descriptor], [], [], max(0.0, end - time.monotonic()))[0]:
            try:
                events = os.read(self._descriptor, BUFFER_BYTES)
            except BlockingIOError:
                continue
            if any([self._matters(*event) for event in _decode(events)]):  # all of them: each may be a new folder
                return True
        return False

    def _matters(self, watched: int, mask: int, name: bytes) -> bool:
        if mask & IN_Q_OVERFLOW:
            return True
        path = os.path.join(self._paths.get(watched, b""), name)
        if mask & IN_ISDIR:
            if mask & (IN_CREATE | IN_MOVED_TO):
                try:
                    self._add_tree(path)
                except OSError:
                    return True
            return not mask & IN_ATTRIB
        if not name:
            return bool(mask & (IN_DELETE_SELF | IN_MOVE_SELF))
        return is_wanted(name) or path in self._files

    def _add_tree(self, root: bytes) -> None:
        for folder in folders(root, self._follow_links):
            try:
                self._add(folder)
            except (FileNotFoundError, NotADirectoryError, PermissionError):
                continue  # it has gone meanwhile, or a run cannot read it either

    def _add(self, folder: bytes) -> None:
        watched = self._checked(self._libc.inotify_add_watch(self._descriptor, folder, EVENTS))
        self._paths[watched] = folder

    def _checked(self, result: int) -> int:
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return result


def _decode(events: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while at < len(events):
        watched, mask, _, length = HEAD.unpack_from(events, at)
        at += HEAD.size + length
        yield watched, mask, events[at - length : at].rstrip(b"\0")


class PollingWatch:
    """Watches by searching the folders and comparing names, sizes and times."""

    def __init__(self, roots: Collection[bytes], follow_links: bool = False) -> None:
        self._roots, self._follow_links = roots, follow_links
        self._pause = POLL_INTERVAL  # between two searches
        self._seen = self._search()

    @property
    def settle_time(self) -> float:
        """Long enough for two searches."""
        return max(SETTLE_TIME, 2 * self._pause)

    def close(self) -> None:
        """Nothing is open."""

    def changed(self, timeout: float) -> bool:
        """Whether something changes within so many seconds."""
        end = time.monotonic() + timeout
        while True:
            time.sleep(max(0.0, min(self._next, end) - time.monotonic()))
            if self._next <= time.monotonic():
                found = self._search()
                if found != self._seen:
                    self._seen = found
                    return True
            if time.monotonic() >= end:
                return False

    def _search(self) -> int:
        """A number that changes with the files."""
        began, total = time.monotonic(), 0
        for root in self._roots:
            if not os.path.isdir(root):
                total ^= _state(root)
                continue
            for folder in folders(root, self._follow_links):
                try:
                    with os.scandir(folder) as entries:
                        for entry in entries:
                            if is_wanted(entry.name) and (self._follow_links or not entry.is_symlink()):
                                total ^= _state(entry.path)
                except OSError:
                    continue
        now = time.monotonic()
        self._pause = max(POLL_INTERVAL, (now - began) / POLL_SHARE)
        self._next = now + self._pause
        return total


def _state(path: bytes) -> int:
    """A number of 64 bits for a file, its size and time."""
    try:
        info = os.stat(path)
    except OSError:
        return 0
    return hash((path, info.st_size, info.st_mtime_ns, info.st_ino))
