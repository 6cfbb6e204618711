"""Contents that need no analysis: a table of hashes that the parent writes and every worker reads.

A copy is recognised wherever its original was analysed: by another worker, or in an earlier run. The
parent adds what it has handed to the database, so a worker that dies takes nothing back, and no file
refers to an analysis that may still be lost. What is on its way meanwhile each worker knows of itself.

The hash says in which of many groups of four places it belongs. In a full group it replaces another:
then a copy of that one is analysed again, which costs time and changes nothing.
"""

from __future__ import annotations

import mmap

WAYS = 4  # places of a group
GROUP = WAYS * 16  # bytes: a line of the processor's cache
FEWEST, MOST = 1 << 10, 1 << 20  # groups; the largest table takes 64 MiB
HEADER = 64  # bytes; the first 8 are the number of groups less one


class Contents:
    """The table as a worker sees it: `digest in contents`."""

    def __init__(self, fd: int, access: int = mmap.ACCESS_READ) -> None:
        self.fd = fd
        self.memory = mmap.mmap(fd, HEADER + MOST * GROUP, access=access)
        self.last = memoryview(self.memory)[:8].cast("Q")  # changes as the table grows

    def __contains__(self, digest: bytes) -> bool:
        at = HEADER + (int.from_bytes(digest[:4], "little") & self.last[0]) * GROUP
        return self.memory.find(digest, at, at + GROUP) >= 0
