"""The parent's side of the shared hash table: hash_table.py holds the readers' side and describes the layout."""

from __future__ import annotations

import mmap
import os

import numpy as np
from numpy.typing import NDArray

from midiopt.errors import MidioptError
from midiopt.pipeline.hash_table import BUCKET_BYTES, BUCKET_SLOTS, HEADER_BYTES, KEY_OFFSET, MAX_BUCKETS, MIN_BUCKETS, SharedHashTable


class SharedHashTableWriter(SharedHashTable):
    """Creates the table and adds to it. Close it after the workers have ended.

    ``content_key`` (of KEY_BYTES, or none) is the key of the hashes: workers find it here, since others can read their arguments.

    The table doubles, up to ``max_buckets`` (a power of two), when it holds one entry per bucket on average; at that load
    one insertion in 70 finds its bucket full. Raises MidioptError when there is no memory for the largest table.
    """

    def __init__(self, content_key: bytes = b"", max_buckets: int = MAX_BUCKETS) -> None:
        fd = os.memfd_create("midiopt-hash-table")
        try:
            os.truncate(fd, HEADER_BYTES + MAX_BUCKETS * BUCKET_BYTES)  # pages are allocated as they fill
        except OSError as problem:
            os.close(fd)
            raise MidioptError(
                f"cannot allocate 64 MiB of shared memory: {problem.strerror}; check ulimit -f and the free memory"
            ) from problem
        os.pwrite(fd, content_key, KEY_OFFSET)
        super().__init__(fd, mmap.ACCESS_WRITE)
        self.max_buckets = max_buckets
        self.mask[0] = MIN_BUCKETS - 1
        self.slots = np.frombuffer(self.memory, "<u8", offset=HEADER_BYTES).reshape(MAX_BUCKETS, BUCKET_SLOTS, 2)
        self.entries = 0

    def add(self, digests: NDArray[np.uint8]) -> None:
        """Add digests, an array of shape (n, 16). A concurrent reader finds each one complete or not at all."""
        new = np.ascontiguousarray(digests).view("<u8").reshape(-1, 2)
        buckets = int(self.mask[0]) + 1
        while buckets < self.max_buckets and self.entries + len(new) > buckets:
            self._double(buckets)
            buckets *= 2
        for _ in range(BUCKET_SLOTS):  # two digests may claim the same slot; the loser claims another one in the next round
            bucket = new[:, 0] & np.uint64(self.mask[0])
            stored = self.slots[bucket, :, 0]
            is_new = (stored != new[:, :1]).all(1)
            new, bucket, is_free = new[is_new], bucket[is_new], stored[is_new] == 0
            if not len(new):
                break
            has_room = is_free.any(1)
            self.slots[bucket, np.where(has_room, is_free.argmax(1), new[:, 1].astype(np.intp) % BUCKET_SLOTS)] = new
            self.entries += int(has_room.sum())

    def _double(self, buckets: int) -> None:
        lower, upper = self.slots[:buckets], self.slots[buckets : 2 * buckets]
        moving = lower[:, :, 0] & np.uint64(buckets) != 0
        upper[moving] = lower[moving]
        self.mask[0] = 2 * buckets - 1  # a reader with the old mask still finds the entry in the lower half
        lower[moving] = 0

    def close(self) -> None:
        """Close the file descriptor; the memory is freed when the last worker has ended."""
        os.close(self.fd)
