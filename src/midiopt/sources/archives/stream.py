"""A file object over whatever can be read at any offset."""

from __future__ import annotations

import io
from typing import Protocol


class RandomAccess(Protocol):
    """A file, or bytes in memory."""

    size: int
    fd: int

    def read(self, size: int, offset: int) -> bytes:
        """At most ``size`` bytes from ``offset``; fewer where the file ends, none outside it."""


class Stream(io.RawIOBase):
    """Reads a file from its start, wherever other readers of it are."""

    def __init__(self, file: RandomAccess) -> None:
        self._file = file
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes."""
        data = self._file.read(self._file.size - self._at if size < 0 else size, self._at)
        self._at += len(data)
        return data

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # of a wider type of buffer in io
        """Fill the start of the buffer; returns the number of bytes, 0 at the end."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to an offset."""
        self._at = offset + (0, self._at, self._file.size)[whence]
        return self._at

    def tell(self) -> int:
        """The present offset."""
        return self._at

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True
