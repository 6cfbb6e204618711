"""Index of the files in the database, 19 bytes per file: which are unchanged, which are missing, and which this run has visited.

Paths are identified by Python's 64-bit string hash (SipHash, with a new key per process): with five million paths, about
one run in a million has a collision.
"""

from __future__ import annotations

import errno
import os
from array import array
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from midiopt.sinks.base import KnownFile
from midiopt.sources.file_state import SECOND, FileState
from midiopt.sources.paths import path_text
from midiopt.sources.stat_many import StatMany
from midiopt.sources.urls import is_url


class FileIndex:
    """The files that the database knew when the run started.

    ``pages`` come from Catalog.iter_files, in which a file may occur twice; a settled file needs no new analysis while its size
    and mtime stay the same. ``missing`` are pages of those that are marked as missing.

    With ``has_urls`` the run looks up URLs, too: an object is known by its size and the digest of its etag, the nanoseconds of its mtime.

    ``returned`` are files that were missing and are back unchanged, ``vanished`` those that a source names and that are no longer there.
    """

    def __init__(self, pages: Iterable[list[KnownFile]], missing: Iterable[list[str]] = (), has_urls: bool = False) -> None:
        paths, states, are_settled = array("q"), array("q"), array("b")
        for page in pages:
            names, sizes, times, settled = zip(*page, strict=True)
            paths.extend(map(hash, names))
            # A size of -1 never matches, so unsettled files are always analysed again.
            if has_urls:
                times = tuple(ns if name[0] == "/" else ns % SECOND for name, ns in zip(names, times, strict=True))
            states.frombytes(_states(np.where(settled, sizes, -1), np.array(times)).tobytes())
            are_settled.extend(settled)
        hashes = np.frombuffer(paths, np.int64)
        order = np.argsort(hashes)
        is_first = np.ones(len(order), bool)
        is_first[1:] = hashes[order[1:]] != hashes[order[:-1]]
        order = order[is_first]
        self._paths = hashes[order]
        self._states = np.frombuffer(states, np.int64)[order]
        self._settled = np.frombuffer(are_settled, bool)[order]
        self._visited = np.zeros(len(order), bool)
        self._missing = np.zeros(len(order), bool)
        for marked in missing if len(order) else ():
            at, found = self._find(marked)
            self._missing[at[found]] = True
        self.any_missing = bool(self._missing.any())
        self.returned: list[str] = []
        self.vanished: list[str] = []
        self._stat_many = StatMany()

    def __len__(self) -> int:
        return len(self._paths)

    def unchanged(self, paths: list[bytes], states: list[FileState] | None = None) -> list[bool]:
        """Whether each file is settled and has the size and mtime that the database knows; all are marked as visited.

        A settled file that has vanished counts as unchanged, so that its row stays; it is not visited. ``states`` are those of objects
        that were listed; others are asked for.
        """
        if paths and is_url(paths[0]):
            from midiopt.sources.objects import heads  # which most runs never need

            found_states = np.array(heads(paths) if states is None else states, np.int64).reshape(-1, 2)
            sizes, times = found_states[:, 0], found_states[:, 1] % SECOND
        else:
            sizes, times = np.frombuffer(self._stat_many(paths), np.int64).reshape(-1, 3).T[:2]
        names = list(map(path_text, paths))
        at, found = self._find(names)
        unchanged = found & (self._states[at] == _states(sizes, times)) & (sizes >= 0)
        absent = found & self._settled[at] & (sizes < 0) & ((times == errno.ENOENT) | (times == errno.ENOTDIR))
        for i in np.flatnonzero(absent).tolist() if absent.any() else ():
            if not os.path.lexists(paths[i]):  # a link that leads nowhere is there, though what it names is not
                unchanged[i], found[i] = True, False
                self.vanished.append(names[i])
        self._visited[at[found]] = True
        if self.any_missing:
            self.returned += [names[i] for i in np.flatnonzero(found & unchanged & self._missing[at]).tolist()]
        return list(unchanged.tolist())

    def mark_visited(self, paths: list[str]) -> None:
        """Mark members of archives, which are visited when they have been read."""
        at, found = self._find(paths)
        self._visited[at[found]] = True

    def known_but_unvisited(self, paths: list[str]) -> list[bool]:
        """Whether the database knew each path, not as missing, and this run has not visited it; False for what this run has added."""
        at, found = self._find(paths)
        return list((found & ~self._visited[at] & ~self._missing[at]).tolist())

    def knows(self, paths: list[str]) -> list[bool]:
        """Whether the database knew each path."""
        return list(self._find(paths)[1].tolist())

    def was_visited(self, paths: list[str]) -> list[bool]:
        """Whether the database knew each path and this run has visited it."""
        at, found = self._find(paths)
        return list((found & self._visited[at]).tolist())

    def all_visited(self) -> bool:
        """Whether this run has visited every file that the database knew, not as missing; True for an empty index."""
        return bool((self._visited | self._missing if self.any_missing else self._visited).all())

    def _find(self, paths: list[str]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        hashes = np.fromiter(map(hash, paths), np.int64, len(paths))
        at = np.minimum(np.searchsorted(self._paths, hashes), len(self._paths) - 1)
        return at, self._paths[at] == hashes


def _states(sizes: NDArray[np.int64], times: NDArray[np.int64]) -> NDArray[np.int64]:
    """One 64-bit number per size and mtime. Two sizes share it only with mtimes that differ by one exact amount, for most by years."""
    return sizes * np.int64(-7046029254386353131) + times  # 2 ** 64 divided by the golden ratio; the overflow is intended
