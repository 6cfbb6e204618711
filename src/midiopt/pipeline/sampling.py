"""Hash-based sampling of paths: two numbers decide for any path whether it is in the sample, without a list."""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterable
from typing import NamedTuple

import xxhash


class PathSample(NamedTuple):
    """The paths whose 64-bit XXH3 hash with ``seed`` is below ``threshold``; by default all paths."""

    seed: int = 0
    threshold: int = 2**64

    def contains(self, path: str) -> bool:
        """Whether this path, as text of sources/paths.py, is in the sample."""
        return _hash(path, self.seed) < self.threshold

    @classmethod
    def draw(cls, paths: Iterable[str], count: int) -> tuple[PathSample, list[str]]:
        """A random sample of ``count`` paths (all when there are fewer), and the paths in it in sorted order."""
        seed = int.from_bytes(os.urandom(8))
        smallest = heapq.nsmallest(count, ((_hash(path, seed), path) for path in paths))
        threshold = smallest[-1][0] + 1 if len(smallest) == count else 2**64
        return cls(seed, threshold), sorted(path for _, path in smallest)


def _hash(path: str, seed: int) -> int:
    return xxhash.xxh3_64_intdigest(path.encode(), seed)


ALL_PATHS = PathSample()
