"""One archive member to items: a single one, or everything inside a nested archive."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from midiopt.errors import NotAnArchive, TooLarge
from midiopt.pipeline.heartbeat import Heartbeat
from midiopt.pipeline.items import Item, failed_item
from midiopt.pipeline.sampling import ALL_PATHS, PathSample
from midiopt.pipeline.tasks import MemberRange
from midiopt.schema import OK, OPENED, REJECTED
from midiopt.sources.archives.archive import Archive, Member, MemoryArchive
from midiopt.sources.archives.limits import BOMB_ERROR, BOMB_RATIO, MAX_DEPTH, ROWS_ERROR, ArchiveLimits, max_nested_rows
from midiopt.sources.filetypes import is_archive
from midiopt.sources.paths import member_path, path_text
from midiopt.sources.plain_content import plain_content
from midiopt.sources.sniff import SNIFF_BYTES, is_song

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer


class MemberItems:
    """Reads the members of a range, and of a range of a single member only those parts that belong to it."""

    def __init__(self, members: MemberRange, heartbeat: Heartbeat, sample: PathSample, limits: ArchiveLimits) -> None:
        self._range = members
        self._heartbeat = heartbeat
        self._sample = sample
        self._limits = limits
        self._nested_limits = limits._replace(bomb_min_bytes=limits.nested_bomb_min_bytes, column=None)
        self.unread = 0  # members whose bytes the disk or network did not give
        self._number = 0  # of the current member
        self._part = 0  # of the current member, see MemberRange
        self._nested_budget = 0  # bytes that archives inside the current member may still expand to
        self._nested_rows = 0  # members that they may still have

    def items(self, member: Member, number: int, path: bytes) -> Iterator[Item]:
        """The member and what it holds, the contents of a nested archive before the archive itself."""
        self._number, self._part = number, 0
        return self._items(member, path, 0)

    def _items(self, member: Member, path: bytes, depth: int) -> Iterator[Item]:
        part = self._part
        self._part += 1
        is_selected = self._range.has_part(part)
        is_nested = is_archive(member.original_name)
        if depth:
            self._nested_budget -= member.size  # whether selected or not: the budget must not depend on the range
        if not is_nested and not (is_selected and self._is_in_sample(path)):
            return
        self._heartbeat.start_member(self._number, part, path)
        item: Item
        try:
            if depth and self._nested_budget < 0:
                raise TooLarge(BOMB_ERROR)
            data = member.data() if is_nested else self._content(member)
            if is_nested and not is_song(bytes(memoryview(data)[:SNIFF_BYTES])):
                error = yield from self._nested_items(member, bytes(data), path, depth + 1)
                item = path, member.size, member.mtime_ns, None, REJECTED if error else OPENED, error
            else:
                item = path, member.size, member.mtime_ns, data, OK, None
        except Exception as problem:
            self.unread += isinstance(problem, OSError)
            item = failed_item(path, member.size, member.mtime_ns, problem)
        if is_selected:
            yield item

    def _is_in_sample(self, path: bytes) -> bool:
        return self._sample == ALL_PATHS or self._sample.contains(path_text(path))

    def _content(self, member: Member) -> Buffer:
        return plain_content(member.original_name, member.data(), self._limits.max_file_bytes, member.archive.budget)

    def _nested_items(self, member: Member, data: bytes, path: bytes, depth: int) -> Generator[Item, None, str | None]:
        """What a nested archive holds; returns why not all of it could be read."""
        if depth > MAX_DEPTH:
            raise NotAnArchive(f"archives are nested more than {MAX_DEPTH} deep")
        archive = Archive(MemoryArchive(data), self._nested_limits, member.archive.budget)
        if depth == 1:
            packed_bytes = member.packed_bytes()
            self._nested_budget = self._limits.nested_bomb_min_bytes + BOMB_RATIO * packed_bytes
            self._nested_rows = max_nested_rows(packed_bytes)
        for inner in archive.members(0, self._limits.max_nested_members):
            self._nested_rows -= 1
            if self._nested_rows < 0:
                return ROWS_ERROR
            yield from self._items(inner, member_path(path, inner.name), depth)
            if archive.budget.error:
                return archive.budget.error
        if not archive.at_end:
            return f"only the first {self._limits.max_nested_members:,} members of a nested archive are read"
        return archive.read_error or None
