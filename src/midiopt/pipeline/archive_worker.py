"""The worker's side of archives: reads members, and decides what becomes of the archive itself.

An archive stays open between tasks, so a worker reads it once from front to back. Every member gets a row, an unreadable
one with the reason. So does the archive, after all its members: `opened`, or `rejected` when not all of it could be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from midiopt.errors import MissingExtra, NotAnArchive, over_limit
from midiopt.pipeline.heartbeat import Heartbeat
from midiopt.pipeline.items import Item
from midiopt.pipeline.member_items import MemberItems
from midiopt.pipeline.sampling import ALL_PATHS, PathSample
from midiopt.pipeline.tasks import (
    FIRST_MEMBERS,
    FIRST_OF_SHARD,
    NO_MEMBER,
    UNKNOWN_STATE,
    ArchiveReport,
    FinishArchive,
    ReadMembers,
    archive_outcome,
)
from midiopt.rows.builder import RowBuilder, crashed_outcome
from midiopt.schema import OK, REJECTED, UNREADABLE
from midiopt.sources.archives.archive import Archive, FileArchive, open_archive, state_at
from midiopt.sources.archives.budget import Budget
from midiopt.sources.archives.limits import DEFAULT_LIMITS, MAX_OPEN, ArchiveLimits
from midiopt.sources.file_state import FileState
from midiopt.sources.paths import member_path
from midiopt.sources.sniff import SNIFF_BYTES, is_song
from midiopt.sources.urls import is_url

if TYPE_CHECKING:
    from midiopt.sources.archives.remote import RemoteArchive

CHANGED = "the archive changed while it was being read"


@dataclass
class _OpenArchive:
    file: FileArchive | RemoteArchive
    budget: Budget
    archive: Archive | None = None  # None until the format is known

    def is_past(self, number: int) -> bool:
        """Whether this member can only be read by opening the archive again."""
        return self.archive is not None and self.archive.position > number


class ArchiveReader:
    """Turns one archive task after another into items, and keeps up to MAX_OPEN archives open between them."""

    def __init__(self, heartbeat: Heartbeat, sample: PathSample = ALL_PATHS, limits: ArchiveLimits = DEFAULT_LIMITS) -> None:
        self.report = ArchiveReport()  # of the last task, once all its items are taken
        self._heartbeat = heartbeat
        self._sample = sample
        self._limits = limits
        self._open: dict[bytes, _OpenArchive] = {}
        self._members = 0  # items of this task other than the archive itself

    def items(self, task: ReadMembers | FinishArchive, rows: RowBuilder) -> Iterator[Item]:
        """The members of the task; then the archive itself, if this task settles what becomes of it. They go into ``rows``."""
        self._heartbeat.start_item()
        self._heartbeat.start_member(NO_MEMBER, 0, task.path)
        self._members = 0
        try:
            if isinstance(task, FinishArchive):
                yield self._finish(task)
            else:
                yield from self._read(task, rows)
        except OSError as problem:
            yield self._settle(task, task.state, UNREADABLE, problem.strerror)
        except MissingExtra as problem:
            yield self._settle(task, task.state, UNREADABLE, str(problem))
        except Exception as problem:
            outcome = crashed_outcome(problem)
            yield self._settle(task, task.state, outcome.status, outcome.error)

    def close(self) -> None:
        """Close all archives."""
        for path in list(self._open):
            self._close(path)

    def _read(self, task: ReadMembers, rows: RowBuilder) -> Iterator[Item]:
        members = task.members
        opened = self._open_before(task.path, members.first)
        state = opened.file.state
        if task.state not in (UNKNOWN_STATE, state):
            yield self._settle(task, state, UNREADABLE, CHANGED)
            return
        if not opened.archive and is_song(opened.file.read(SNIFF_BYTES, 0)):
            yield self._song(task, opened.file)
            return
        try:
            archive = opened.archive = opened.archive or Archive(opened.file, self._limits, opened.budget)
        except NotAnArchive as problem:
            yield self._settle(task, state, REJECTED, str(problem))
            return
        appledouble = 0
        opened.budget.resume()
        reader = MemberItems(members, self._heartbeat, self._sample, self._limits)
        for member in archive.members(members.first, members.end):
            appledouble += member.skipped_before
            for item in reader.items(member, archive.position, member_path(task.path, member.name)):
                self._members += 1
                yield item
            if opened.budget.error:
                archive.give_up(opened.budget.error)
        if archive.at_end and members.first <= archive.position < members.end:
            appledouble += archive.skipped_at_end
        cpu_ms = round(opened.budget.pause() * 1000)
        if not opened.file.is_unchanged():
            yield self._settle(task, state, UNREADABLE, CHANGED)
        elif archive.at_end and members in (FIRST_MEMBERS, FIRST_OF_SHARD):
            status, error = archive_outcome(rows.crashed, reader.unread, archive.read_error)
            yield self._settle(task, state, status, error or None, appledouble)
        else:
            self.report = ArchiveReport(
                at_end=archive.at_end,
                is_stream=archive.is_stream or is_url(task.path),  # no two workers load the same object
                members=self._members,
                crashed_members=rows.crashed,
                unread_members=reader.unread,
                appledouble=appledouble,
                cpu_ms=cpu_ms,
                group_size=archive.group_size,
                state=state,
                read_error=archive.read_error,
            )

    def _open_before(self, path: bytes, number: int) -> _OpenArchive:
        """The archive, opened again if it is past this member."""
        if path in self._open and self._open[path].is_past(number):
            self._close(path)
        if path not in self._open:
            if len(self._open) == MAX_OPEN:
                self._close(next(iter(self._open)))  # the one opened first
            file = open_archive(path, self._heartbeat.refresh)
            self._open[path] = _OpenArchive(file, Budget(file.size, self._limits, self._heartbeat.refresh))
        return self._open[path]

    def _close(self, path: bytes) -> None:
        if opened := self._open.pop(path, None):
            opened.file.close()

    def _finish(self, task: FinishArchive) -> Item:
        """The archive after its last member, if it still is what it was."""
        self._close(task.path)
        state = state_at(task.path)
        if state != task.state:
            return self._settle(task, state, UNREADABLE, CHANGED)
        return self._settle(task, state, task.status, task.error or None)

    def _song(self, task: ReadMembers, file: FileArchive | RemoteArchive) -> Item:
        """A MIDI file under the name of an archive: a web client undid the compression, and kept the name."""
        limit = self._limits.max_file_bytes
        if file.size > limit:
            return self._settle(task, file.state, REJECTED, over_limit(file.size, limit))
        data = file.read(file.size, 0)
        path, size, mtime_ns, *_ = self._settle(task, file.state, OK, None)
        return path, size, mtime_ns, data, OK, None

    def _settle(self, task: ReadMembers | FinishArchive, state: FileState, status: int, error: str | None, appledouble: int = 0) -> Item:
        """The item of the archive itself, and the report that goes with it."""
        self._close(task.path)
        self.report = ArchiveReport(
            is_finish=isinstance(task, FinishArchive),
            at_end=True,
            has_archive_row=True,
            members=self._members,
            appledouble=appledouble,
            state=state,
        )
        return task.path, max(0, state.size), state.mtime_ns, None, status, error
