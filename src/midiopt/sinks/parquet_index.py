"""Which part of a Parquet directory has each path: 12 bytes per path.

Paths are identified by Python's 64-bit string hash, as in a run's index of files. A path that another one stands for is added to the
part of that one, so that none is lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_SEGMENTS = 16  # sorted arrays that are searched one after the other


def path_hashes(paths: list[str]) -> NDArray[np.int64]:
    """What identifies each path in this process."""
    return np.fromiter(map(hash, paths), np.int64, len(paths))


class PathIndex:
    """The number of the part that has each path."""

    def __init__(self) -> None:
        self._segments: list[tuple[NDArray[np.int64], NDArray[np.int32]]] = []

    def add(self, hashes: NDArray[np.int64], part: int) -> None:
        """Add the paths of a new part."""
        self._segments.append(_sorted(hashes, np.full(len(hashes), part, np.int32)))
        if len(self._segments) > MAX_SEGMENTS:
            hashes, parts = (np.concatenate(arrays) for arrays in zip(*self._segments, strict=True))
            self._segments = [_sorted(hashes, parts)]

    def find(self, hashes: NDArray[np.int64]) -> NDArray[np.int32]:
        """The number of the part of each path, -1 if none has it."""
        found = np.full(len(hashes), -1, np.int32)
        for known, parts in self._segments:
            if len(known):
                at = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
                found = np.where((found < 0) & (known[at] == hashes), parts[at], found)
        return found


def _sorted(hashes: NDArray[np.int64], parts: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    order = np.argsort(hashes)
    return hashes[order], parts[order]
