"""What a chunk is made of: paths, and what stands for more than a path.

A path is absolute, so it begins with a slash; an item that begins with anything else says by that
what is to be done. A piece of an archive begins with a digit and is a chunk by itself.
"""

from __future__ import annotations

import struct
from typing import NamedTuple, Self

UNOPENED = b"-"  # before the path of a FIFO or device that was named: it gets its row and is not opened
PIECE = 128  # members
ALL = 2**62
OPENING = -1  # the number of the member in hand before there is one


def is_piece(item: bytes) -> bool:
    return item.startswith(b"0")


class Piece(NamedTuple):
    """Members ``first`` to ``last`` (excluded) of an archive, by their number.

    A member that is an archive itself has parts: 0 is the member, the others are what it holds, at
    any depth, in order. A piece of one member has those from ``part`` to ``past`` (excluded). A piece
    without members closes the archive: its row says what became of it.
    """

    path: bytes
    first: int = 0
    last: int = PIECE
    part: int = 0
    past: int = ALL
    size: int = -1  # of the archive when it was opened first, in bytes, and its mtime in ns; unknown for the first piece
    mtime_ns: int = 0
    closing: str = ""  # of the piece that closes: what is wrong with the archive; its `part` is the archive's status

    def encode(self) -> bytes:
        numbers = self.first, self.last, self.part, self.past, self.size, self.mtime_ns
        return b"0 %d %d %d %d %d %d %d " % (*numbers, len(self.path)) + self.path + self.closing.encode()

    @classmethod
    def decode(cls, item: bytes) -> Self:
        _, *numbers, length, rest = item.split(b" ", 8)
        first, last, part, past, size, mtime_ns = map(int, numbers)
        path, closing = rest[: int(length)], rest[int(length) :]
        return cls(path, first, last, part, past, size, mtime_ns, closing.decode())

    @property
    def is_whole(self) -> bool:
        """Whether it is the first piece as it was dealt first."""
        return (self.first, self.last) == (0, PIECE)

    @property
    def is_closing(self) -> bool:
        return self.last == 0

    @property
    def is_one(self) -> bool:
        return self.last == self.first + 1 and self.past == self.part + 1

    def without(self, number: int, part: int) -> list[Self]:
        """The piece of that one part, and then what else is in this piece; nothing if it is not inside."""
        if not self.first <= number < self.last or not (self.last > self.first + 1 or self.part <= part < self.past):
            return []
        low, high = (self.part, self.past) if self.last == self.first + 1 else (0, ALL)
        one = self._replace(first=number, last=number + 1)
        rest = [
            self._replace(last=number),
            one._replace(part=low, past=part),
            one._replace(part=part + 1, past=high),
            self._replace(first=number + 1),
        ]
        return [one._replace(part=part, past=part + 1), *(p for p in rest if p.first < p.last and p.part < p.past)]


class Note(NamedTuple):
    """What a worker says of an archive beside the rows of one of its pieces."""

    closes: bool  # the archive's own row, which must not be written before those of its members
    ended: bool  # the archive has no members after this piece
    settled: bool  # the archive's own row is among these
    is_stream: bool  # it should stay with this worker
    members: int  # rows among them that are not the archive's own
    appledouble: int  # members passed over
    size: int
    mtime_ns: int
    trouble: str  # why not all of it could be read

    @classmethod
    def of_members(cls, members: int) -> Self:
        return cls(False, False, False, False, members, 0, 0, 0, "")

    def encode(self) -> bytes:
        return NOTE.pack(*self[:-1]) + self.trouble.encode()

    @classmethod
    def decode(cls, data: bytes) -> Self | None:
        """None for the message about a chunk of paths, which has no note."""
        return cls._make((*NOTE.unpack_from(data), data[NOTE.size :].decode())) if data else None


NOTE = struct.Struct("<????qqqq")
