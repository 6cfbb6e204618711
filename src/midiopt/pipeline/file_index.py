"""Which files the database has, which of them are unchanged, and which were met in this run: 17 bytes a file.

Paths are told apart by 64 bits, Python's hash of strings (SipHash, keyed anew in every process): of five million
two are taken for one in one of a million runs.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable

import numpy as np

from midiopt.sources.paths import path_text
from midiopt.sources.reader import stat_many


class Known:
    """The files that a database has, from ``Catalog.iter_files``; asked with paths, it says which are unchanged."""

    def __init__(self, pages: Iterable[list[tuple[str, int, int, bool]]]) -> None:
        paths, states = array("q"), array("q")
        for rows in pages:
            names, sizes, times, settled = zip(*rows, strict=True)
            paths.extend(map(hash, names))
            # No file has fewer than 0 bytes: what is not settled is to be analysed whatever it is.
            states.frombytes(_states(np.where(settled, sizes, -1), np.array(times)).tobytes())
        order = np.argsort(np.frombuffer(paths, np.int64))
        self.paths = np.frombuffer(paths, np.int64)[order]
        self.states = np.frombuffer(states, np.int64)[order]
        self.met = np.zeros(len(order), bool)

    def __len__(self) -> int:
        return len(self.paths)

    def __call__(self, paths: list[bytes]) -> list[bool]:
        sizes, times = np.frombuffer(stat_many(paths), np.int64).reshape(-1, 2).T
        at, found = self._find(list(map(path_text, paths)))
        self.met[at[found]] = True
        return (found & (self.states[at] == _states(sizes, times)) & (sizes >= 0)).tolist()

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
        asked = np.fromiter(map(hash, paths), np.int64, len(paths))
        at = np.minimum(np.searchsorted(self.paths, asked), len(self.paths) - 1)
        return at, self.paths[at] == asked


def _states(sizes: np.ndarray, times: np.ndarray) -> np.ndarray:
    """64 bits for each size and time: two sizes share them only with times that lie one certain step apart, and most by years."""
    return sizes * np.int64(-7046029254386353131) + times  # 2 ** 64 over the golden ratio; overflow is wanted
