"""Size and modification time of a file: what shows that it has changed."""

from __future__ import annotations

import os
from typing import NamedTuple, Self

from midiopt.kinds import INT64

SECOND = 1_000_000_000  # nanoseconds


class FileState(NamedTuple):
    """A file is taken for unchanged while both stay equal."""

    size: int  # bytes
    mtime_ns: int

    @classmethod
    def from_stat(cls, info: os.stat_result) -> Self:
        """The state that ``os.stat`` reports. A time outside the column's range (years 1677 to 2262) becomes its nearest value."""
        return cls(info.st_size, max(INT64.low, min(info.st_mtime_ns, INT64.high)))

    @classmethod
    def of_object(cls, size: int, seconds: int, tag: str) -> Self:
        """The state of an object in a store. The nanoseconds of the time are a digest of what tells its versions apart."""
        import xxhash  # which commands that read do without

        return cls(size, seconds * SECOND + xxhash.xxh3_64_intdigest(tag.encode()) % SECOND)

    @classmethod
    def of(cls, path: bytes) -> Self | None:
        """The state of the file at this path; None if there is none, whatever bytes the path has, and for a URL."""
        try:
            return cls.from_stat(os.stat(path))
        except (OSError, ValueError):  # ValueError: the path contains NUL, which only names in archives can
            return None
