"""The parent's side of the shared hash table: hash_table.py holds the readers' side and describes the layout."""

from __future__ import annotations

import mmap
import os
from typing import TYPE_CHECKING

from midiopt.errors import MidioptError
from midiopt.pipeline.hash_slots import double, insert
from midiopt.pipeline.hash_table import BUCKET_BYTES, HEADER_BYTES, KEY_OFFSET, MAX_BUCKETS, MIN_BUCKETS, SharedHashTable
from midiopt.sources.system import shared_memory

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer


class SharedHashTableWriter(SharedHashTable):
    """Creates the table and adds to it. Close it after the workers have ended.

    ``content_key`` (of KEY_BYTES, or none) is the key of the hashes: workers find it here, since others can read their arguments.

    The table doubles, up to ``max_buckets`` (a power of two), when it holds one entry per bucket on average; at that load
    one insertion in 70 finds its bucket full. Raises MidioptError when there is no memory for the largest table.
    """

    def __init__(self, content_key: bytes = b"", max_buckets: int = MAX_BUCKETS) -> None:
        fd = shared_memory("midiopt-hash-table")
        try:
            os.truncate(fd, HEADER_BYTES + MAX_BUCKETS * BUCKET_BYTES)  # pages are allocated as they fill
            os.pwrite(fd, content_key, KEY_OFFSET)
            super().__init__(fd, mmap.ACCESS_WRITE)
        except OSError as problem:
            os.close(fd)
            raise MidioptError(
                f"cannot allocate 64 MiB of shared memory: {problem.strerror}; check ulimit -f, ulimit -v and the free memory"
            ) from problem
        self.max_buckets = max_buckets
        self.mask[0] = MIN_BUCKETS - 1
        self.entries = 0

    def add(self, digests: Buffer) -> None:
        """Add digests of 16 bytes each, joined. A concurrent reader finds each one complete or not at all."""
        new = memoryview(digests).nbytes // 16
        while self.mask[0] + 1 < self.max_buckets and self.entries + new > self.mask[0] + 1:
            double(self.memory)
        self.entries += insert(self.memory, digests)

    def close(self) -> None:
        """Close the file descriptor; the memory is freed when the last worker has ended."""
        os.close(self.fd)
