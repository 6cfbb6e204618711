"""The parent's side of the table of contents: hash_table.py has the other, and says how it is laid out."""

from __future__ import annotations

import mmap
import os

import numpy as np

from midiopt.errors import MidioptError
from midiopt.pipeline.hash_table import FEWEST, GROUP, HEADER, MOST, WAYS, Contents


class Told(Contents):
    """The table, made here and added to. Close it after the workers have gone.

    It grows when it holds a content a group: one in 70 finds its group full by then.
    """

    def __init__(self) -> None:
        fd = os.memfd_create("midiopt-contents")
        try:
            os.truncate(fd, HEADER + MOST * GROUP)  # memory is taken as it fills
        except OSError as problem:
            os.close(fd)
            raise MidioptError(
                f"no room for a table of 64 MiB in memory: {problem.strerror}; see ulimit -f and the free memory"
            ) from problem
        super().__init__(fd, mmap.ACCESS_WRITE)
        self.last[0] = FEWEST - 1
        self.table = np.frombuffer(self.memory, "<u8", offset=HEADER).reshape(MOST, WAYS, 2)
        self.added = 0

    def add(self, digests: np.ndarray) -> None:
        """Add digests, rows of 16 bytes. A worker that looks meanwhile finds one whole or not at all."""
        new = np.ascontiguousarray(digests).view("<u8").reshape(-1, 2)
        groups = int(self.last[0]) + 1
        while groups < MOST and self.added + len(new) > groups:
            self._double(groups)
            groups *= 2
        for _ in range(WAYS):  # two may want one place; the other comes to another one then
            at = self._groups(new)
            held = self.table[at, :, 0]
            is_new = (held != new[:, :1]).all(1)
            new, at, free = new[is_new], at[is_new], held[is_new] == 0
            if not len(new):
                break
            has_room = free.any(1)
            self.table[at, np.where(has_room, free.argmax(1), new[:, 1].astype(np.intp) % WAYS)] = new
            self.added += int(has_room.sum())

    def _groups(self, digests: np.ndarray) -> np.ndarray:
        return digests[:, 0] & np.uint64(self.last[0])

    def _double(self, groups: int) -> None:
        lower, upper = self.table[:groups], self.table[groups : 2 * groups]
        moving = lower[:, :, 0] & np.uint64(groups) != 0
        upper[moving] = lower[moving]
        self.last[0] = 2 * groups - 1  # who looked before still finds it in the lower half
        lower[moving] = 0

    def close(self) -> None:
        os.close(self.fd)
