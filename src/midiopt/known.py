"""Which files the database has, which of them are unchanged, and which were met in this run: 17 bytes a file.

Paths, and sizes with times, are told apart by 64 bits: Python's hash of strings (SipHash, keyed anew in
every process), and of pairs of integers. Of five million paths two are taken for one in one of a million
runs.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable

import numpy as np

from .paths import path_text

NEVER = 0  # stands for the size and time of a file that is to be analysed whatever they are


class Known:
    """The files that a database has, from rows of ``Sink.known``; asked with more of them, it says which are unchanged."""

    def __init__(self, rows: Iterable[tuple[str, int, int, bool]]) -> None:
        paths, states = array("q"), array("q")
        for path, size, mtime_ns, settled in rows:
            paths.append(hash(path))
            states.append(_state(size, mtime_ns) if settled else NEVER)
        order = np.argsort(np.frombuffer(paths, np.int64))
        self.paths = np.frombuffer(paths, np.int64)[order]
        self.states = np.frombuffer(states, np.int64)[order]
        self.met = np.zeros(len(order), bool)

    def __len__(self) -> int:
        return len(self.paths)

    def __call__(self, paths: list[bytes], stats: list[os.stat_result | None]) -> list[bool]:
        states = np.array([NEVER if s is None else _state(s.st_size, s.st_mtime_ns) for s in stats], np.int64)
        at, found = self._find(list(map(path_text, paths)))
        self.met[at[found]] = True
        return (found & (self.states[at] == states) & (states != NEVER)).tolist()

    def meet(self, paths: list[str]) -> None:
        """Of members of archives, which are met when they have been read."""
        at, found = self._find(paths)
        self.met[at[found]] = True

    def has_met(self, paths: list[str]) -> list[bool]:
        at, found = self._find(paths)
        return (found & self.met[at]).tolist()

    def unmet(self, paths: list[str]) -> list[bool]:
        """Whether the database had each and this run did not meet it; not true of what this run has added."""
        at, found = self._find(paths)
        return (found & ~self.met[at]).tolist()

    def _find(self, paths: list[str]) -> tuple[np.ndarray, np.ndarray]:
        asked = np.array(list(map(hash, paths)), np.int64)
        at = np.minimum(np.searchsorted(self.paths, asked), len(self.paths) - 1)
        return at, self.paths[at] == asked


def _state(size: int, mtime_ns: int) -> int:
    return hash((size, mtime_ns)) or 1
