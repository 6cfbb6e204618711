"""A sample of paths by lot: who knows its two numbers needs no list to say which are in it."""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterable
from typing import NamedTuple

import xxhash


class Lots(NamedTuple):
    seed: int = 0
    below: int = 2**64  # a path is in the sample when its lot, of 64 bits, is below

    def take(self, path: str) -> bool:
        """Whether this path (a text of paths.py) is in the sample."""
        return _lot(path, self.seed) < self.below

    @classmethod
    def draw(cls, paths: Iterable[str], count: int) -> tuple[Lots, list[str]]:
        """A sample of so many of the paths by chance, and those in it, in order."""
        seed = int.from_bytes(os.urandom(8))
        drawn = heapq.nsmallest(count, ((_lot(path, seed), path) for path in paths))
        below = drawn[-1][0] + 1 if len(drawn) == count else 2**64
        return cls(seed, below), sorted(path for _, path in drawn)


def _lot(path: str, seed: int) -> int:
    return xxhash.xxh3_64_intdigest(path.encode(), seed)


EVERYTHING = Lots()
