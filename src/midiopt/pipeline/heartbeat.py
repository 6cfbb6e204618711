"""The memory that a worker shares with the parent: what it has in hand, and since when.

Integers of 64 bits, and after them the path of the archive's member in hand. BEGAN is written before
BEGUN: a new count never stands beside an old time.
"""

from __future__ import annotations

import mmap

BEGAN = 0  # when the file or member in hand began, in ns of the system's monotonic clock
BEGUN = 1  # how many files and pieces of archives were begun since the worker started
NUMBER = 2  # of the member in hand in its archive
PART = 3  # of that member, see work.Piece
NAME_LENGTH = 4  # bytes
NAME_AT = 40
NAME_BYTES = 72 << 10  # an archive's path, and a name as long as zip allows
WORD_BYTES = NAME_AT + NAME_BYTES


def word(shared: mmap.mmap | bytearray) -> memoryview:
    """The memory as integers."""
    return memoryview(shared).cast("q")


def put_member(word: memoryview, name_area: memoryview, number: int, part: int, path: bytes) -> None:
    path = path[:NAME_BYTES]
    name_area[: len(path)] = path
    word[NAME_LENGTH], word[PART], word[NUMBER] = len(path), part, number


def name_area(word: memoryview) -> memoryview:
    return word.cast("B")[NAME_AT:]


def name_in(word: memoryview) -> bytes:
    return bytes(name_area(word)[: word[NAME_LENGTH]])
