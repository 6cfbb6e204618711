"""The memory that a worker shares with the parent: which file or archive member it processes, and since when.

Five 64-bit integers, then the path of the current archive member. STARTED_AT is written before ITEMS_STARTED, so the
parent never sees a new count beside an old time.
"""

from __future__ import annotations

import mmap
import time

STARTED_AT = 0  # when the current file or member was started, in ns of the system's monotonic clock
ITEMS_STARTED = 1  # number of files and archive tasks started since the worker began
MEMBER_NUMBER = 2  # of the current member in its archive
MEMBER_PART = 3  # of the current member, see tasks.MemberRange
PATH_LENGTH = 4  # of the current member, in bytes
PATH_OFFSET = 40
MAX_PATH_BYTES = 72 << 10  # the path of an archive, and a name as long as zip allows
HEARTBEAT_BYTES = PATH_OFFSET + MAX_PATH_BYTES


class Heartbeat:
    """Written by the worker, read by the parent. ``memory`` has HEARTBEAT_BYTES; by default it is private."""

    def __init__(self, memory: mmap.mmap | bytearray | None = None) -> None:
        view = memoryview(bytearray(HEARTBEAT_BYTES) if memory is None else memory)
        self._numbers = view.cast("q")
        self._path = view[PATH_OFFSET:]

    @property
    def started_at(self) -> int:
        """When the current file or member was started, in ns of the monotonic clock."""
        return self._numbers[STARTED_AT]

    @property
    def items_started(self) -> int:
        """Number of files and archive tasks started since the worker began."""
        return self._numbers[ITEMS_STARTED]

    @property
    def member(self) -> tuple[int, int, bytes]:
        """Number, part and path of the current archive member."""
        numbers = self._numbers
        return numbers[MEMBER_NUMBER], numbers[MEMBER_PART], bytes(self._path[: numbers[PATH_LENGTH]])

    def start_item(self) -> None:
        """The worker starts the next file or archive task."""
        self._numbers[STARTED_AT] = time.monotonic_ns()
        self._numbers[ITEMS_STARTED] += 1

    def start_member(self, number: int, part: int, path: bytes) -> None:
        """The worker starts a member of the current archive."""
        path = path[:MAX_PATH_BYTES]
        self._path[: len(path)] = path
        numbers = self._numbers
        numbers[PATH_LENGTH], numbers[MEMBER_PART], numbers[MEMBER_NUMBER] = len(path), part, number
        numbers[STARTED_AT] = time.monotonic_ns()

    def refresh(self) -> None:
        """Restart the time limit of the current file or member: its data is still being decompressed."""
        self._numbers[STARTED_AT] = time.monotonic_ns()
