"""What the parent sends to a worker, a task, and what a worker reports about an archive beside its rows.

Both travel as bytes, which only this module encodes and decodes. The common case, plain paths, is the paths joined by NUL:
an absolute path begins with a slash, and every other type of task with another byte.
"""

from __future__ import annotations

import struct
from typing import NamedTuple, Self

from midiopt.schema import CRASHED, OPENED, REJECTED, UNREADABLE
from midiopt.sources.file_state import FileState
from midiopt.sources.paths import SLASH

MEMBERS_PER_TASK = 128
MEMBERS_PER_SHARD = 4096  # in one task of an executor
ALL_PARTS = 2**62
NO_MEMBER = -1  # the number of the current member before there is one

_NOT_REGULAR = b"-"
_URLS = b"u"
_READ = b"r"
_FINISH = b"f"
_ITEMS = b"i"
_READ_FIELDS = struct.Struct("<cqqqqqq")
_FINISH_FIELDS = struct.Struct("<cqqBI")
_ITEMS_FIELDS = struct.Struct("<c?I")  # then the length of each item, then the items
_REPORT_FIELDS = struct.Struct("<????qqqqqqqq")

UNKNOWN_STATE = FileState(-1, 0)


class MemberRange(NamedTuple):
    """Members ``first`` to ``end`` (excluded) of an archive, by number.

    A member that is an archive itself has parts: part 0 is the member, the others are what it holds, at any
    depth, in order. A range of a single member holds its parts ``part`` to ``part_end`` (excluded) only.
    """

    first: int = 0
    end: int = MEMBERS_PER_TASK
    part: int = 0
    part_end: int = ALL_PARTS

    @property
    def is_single_member(self) -> bool:
        """Whether the range is of one member, whose parts it may divide."""
        return self.end == self.first + 1

    @property
    def is_single_part(self) -> bool:
        """Whether the range is of one part of one member."""
        return self.is_single_member and self.part_end == self.part + 1

    def has_part(self, part: int) -> bool:
        """Whether this part of each of its members belongs to the range."""
        return not self.is_single_member or self.part <= part < self.part_end

    def split_around(self, number: int, part: int) -> list[Self]:
        """The range of that one part of member ``number``, then the ranges of the rest; none if the part is not inside."""
        if not self.first <= number < self.end or not self.has_part(part):
            return []
        low, high = (self.part, self.part_end) if self.is_single_member else (0, ALL_PARTS)
        member = self._replace(first=number, end=number + 1)
        rest = [
            self._replace(end=number),
            member._replace(part=low, part_end=part),
            member._replace(part=part + 1, part_end=high),
            self._replace(first=number + 1),
        ]
        return [member._replace(part=part, part_end=part + 1), *(r for r in rest if r.first < r.end and r.part < r.part_end)]


FIRST_MEMBERS = MemberRange()
FIRST_OF_SHARD = MemberRange(0, MEMBERS_PER_SHARD)


class AnalyzeFiles(NamedTuple):
    """A ``files`` row for each path. What is not a regular file (a FIFO, a device) gets its row without being opened."""

    paths: list[bytes]
    are_regular: bool = True

    def split_at(self, index: int) -> tuple[Self, Self]:
        """A task for the file of this index, and one for the others."""
        return self._replace(paths=[self.paths[index]]), self._replace(paths=self.paths[:index] + self.paths[index + 1 :])


class AnalyzeItems(NamedTuple):
    """The rows of each item, with an analysis for each of equal contents: items are contents, or paths of files."""

    items: list[bytes]
    are_contents: bool
    numbers: list[int]
    """Of the items; they stay with the parent."""

    def split_at(self, index: int) -> tuple[Self, Self]:
        """A task for the item of this index, and one for the others."""
        items, numbers = self.items, self.numbers
        one = self._replace(items=[items[index]], numbers=[numbers[index]])
        return one, self._replace(items=items[:index] + items[index + 1 :], numbers=numbers[:index] + numbers[index + 1 :])


class ReadMembers(NamedTuple):
    """The rows of some members of an archive."""

    path: bytes
    members: MemberRange = FIRST_MEMBERS
    state: FileState = UNKNOWN_STATE  # of the archive when it was first opened

    def split_around(self, number: int, part: int) -> list[Self]:
        """A task for each range of :meth:`MemberRange.split_around`."""
        return [self._replace(members=members) for members in self.members.split_around(number, part)]


class FinishArchive(NamedTuple):
    """The row of the archive itself. Sent when all its members are done, so that its row is written last."""

    path: bytes
    state: FileState
    status: int = OPENED
    error: str = ""


Task = AnalyzeFiles | AnalyzeItems | ReadMembers | FinishArchive


def item_count(task: Task) -> int:
    """By how much a task advances the heartbeat's count."""
    match task:
        case AnalyzeFiles(paths):
            return len(paths)
        case AnalyzeItems(items):
            return len(items)
    return 1


def encode_task(task: Task) -> bytes:
    """The bytes that a worker receives."""
    match task:
        case AnalyzeFiles(paths, are_regular):
            joined = b"\0".join(paths)
            if not are_regular:
                return _NOT_REGULAR + joined
            return joined if joined[0] == SLASH else _URLS + joined
        case AnalyzeItems(items, are_contents):
            lengths = struct.pack(f"<{len(items)}I", *map(len, items))
            return b"".join((_ITEMS_FIELDS.pack(_ITEMS, are_contents, len(items)), lengths, *items))
        case ReadMembers(path, members, state):
            return _READ_FIELDS.pack(_READ, *members, *state) + path
        case FinishArchive(path, state, status, error):
            text = error.encode()
            return _FINISH_FIELDS.pack(_FINISH, *state, status, len(text)) + text + path


def decode_task(data: bytes) -> Task:
    """The inverse of :func:`encode_task`."""
    if data[0] == SLASH:
        return AnalyzeFiles(data.split(b"\0"))
    kind = data[:1]
    if kind == _URLS:
        return AnalyzeFiles(data[1:].split(b"\0"))
    if kind == _NOT_REGULAR:
        return AnalyzeFiles(data[1:].split(b"\0"), are_regular=False)
    if kind == _ITEMS:
        _, are_contents, count = _ITEMS_FIELDS.unpack_from(data)
        lengths = struct.unpack_from(f"<{count}I", data, _ITEMS_FIELDS.size)
        at = _ITEMS_FIELDS.size + 4 * count
        return AnalyzeItems([data[at : (at := at + length)] for length in lengths], are_contents, [])
    if kind == _READ:
        _, first, end, part, part_end, size, mtime_ns = _READ_FIELDS.unpack_from(data)
        return ReadMembers(data[_READ_FIELDS.size :], MemberRange(first, end, part, part_end), FileState(size, mtime_ns))
    if kind == _FINISH:
        _, size, mtime_ns, status, length = _FINISH_FIELDS.unpack_from(data)
        text, path = data[_FINISH_FIELDS.size :][:length], data[_FINISH_FIELDS.size + length :]
        return FinishArchive(path, FileState(size, mtime_ns), status, text.decode())
    raise ValueError(f"unknown type of task {kind!r}")


def archive_outcome(crashed_members: int, unread_members: int, read_error: str) -> tuple[int, str]:
    """Status and error of an archive whose members all have their rows; ``read_error`` says why not all could be read."""
    if crashed_members:
        return CRASHED, f"{crashed_members:,} of its members ended as crashed"
    if unread_members:
        return UNREADABLE, f"{unread_members:,} of its members could not be read from the disk or network"
    return REJECTED if read_error else OPENED, read_error


class ArchiveReport(NamedTuple):
    """What a worker says about an archive beside the rows of a ReadMembers or FinishArchive task."""

    is_finish: bool = False  # the answer to FinishArchive: its row must not be written before those of the members
    at_end: bool = False  # the archive has no members after this range
    has_archive_row: bool = False  # the archive's own row is among the rows, as the last one
    is_stream: bool = False  # going back means reading from the start, so the next ranges should go to the same worker
    members: int = 0  # rows that are not the archive's own
    crashed_members: int = 0  # those of them with that status
    unread_members: int = 0  # those whose bytes the disk or network did not give: the next run may get them
    appledouble: int = 0  # AppleDouble files skipped
    cpu_ms: int = 0  # processor time of the task
    group_size: int = 1  # members that are stored together, and best read by one worker
    state: FileState = FileState(0, 0)
    read_error: str = ""  # why not all members could be read

    def encode(self) -> bytes:
        """The bytes that travel behind the rows."""
        *fields, state, error = self
        return _REPORT_FIELDS.pack(*fields, *state) + error.encode()

    @classmethod
    def of_crash(cls, is_member: bool) -> Self:
        """The report beside the row of a member that crashed too often, or of an archive that did."""
        return cls(has_archive_row=not is_member, members=int(is_member), crashed_members=int(is_member), state=UNKNOWN_STATE)

    @classmethod
    def decode(cls, data: bytes) -> Self | None:
        """The report behind the rows; None for an AnalyzeFiles task, which has none."""
        if not data:
            return None
        *fields, size, mtime_ns = _REPORT_FIELDS.unpack_from(data)
        return cls._make((*fields, FileState(size, mtime_ns), data[_REPORT_FIELDS.size :].decode()))
