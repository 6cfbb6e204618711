"""The hash table of known content, shared by all processes: the parent writes it, every worker reads it.

A copy is recognised wherever its original was analysed: by another worker, or in an earlier run. The parent adds a hash
only after it has passed the rows to the sink, so a worker crash cannot leave a file that refers to a lost analysis. Each
worker also remembers the hashes of its own results in flight.

A hash selects one of many buckets of four slots. In a full bucket a new hash replaces another; a copy of the replaced
content is then analysed again, which costs time and changes nothing.
"""

from __future__ import annotations

import mmap

BUCKET_SLOTS = 4
BUCKET_BYTES = BUCKET_SLOTS * 16  # one cache line
MIN_BUCKETS, MAX_BUCKETS = 1 << 10, 1 << 20  # the largest table takes 64 MiB
KEY_OFFSET, KEY_BYTES = 8, 32
HEADER_BYTES = 64  # the number of buckets minus one in 8 bytes; the key of the hashes, 0 for none


class SharedHashTable:
    """The table as a worker sees it: ``digest in table``."""

    def __init__(self, fd: int, access: int = mmap.ACCESS_READ) -> None:
        self.fd = fd
        self.memory = mmap.mmap(fd, HEADER_BYTES + MAX_BUCKETS * BUCKET_BYTES, access=access)
        key = self.memory[KEY_OFFSET : KEY_OFFSET + KEY_BYTES]
        self.content_key = key if any(key) else b""
        self.mask = memoryview(self.memory)[:8].cast("Q")  # one element: the number of buckets minus one; it grows with the table

    def __contains__(self, digest: bytes) -> bool:
        start = HEADER_BYTES + (int.from_bytes(digest[:4], "little") & self.mask[0]) * BUCKET_BYTES
        return self.memory.find(digest, start, start + BUCKET_BYTES) >= 0
