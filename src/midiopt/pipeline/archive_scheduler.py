"""Scheduling of archives in the parent: which task of each archive is next, and which worker gets it.

The number of members is unknown until an archive has been read to its end. So tasks of MEMBERS_PER_TASK members are handed
out until a worker reports the end; a task beyond the end comes back empty. A tar file or a zip can be read from anywhere,
so its tasks go to any worker. A compressed stream is read by the worker that opened it. When all tasks are answered,
FinishArchive writes the archive's own row, so that it never precedes the rows of its members.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from midiopt.pipeline.tasks import MEMBERS_PER_TASK, UNKNOWN_STATE, ArchiveReport, FinishArchive, MemberRange, ReadMembers, archive_outcome
from midiopt.sources.archives.limits import TIME_ERROR, max_cpu_seconds

ArchiveTask = ReadMembers | FinishArchive
Worker = TypeVar("Worker")


@dataclass
class ArchiveState(Generic[Worker]):
    """An archive that is being read."""

    path: bytes
    report: ArchiveReport | None = None  # on the first task that was answered
    stream_worker: Worker | None = None  # answered the first task; gets all others if the archive is a stream
    in_flight: int = 1  # number of tasks handed out and not answered
    answered: int = 0  # number of tasks
    next_member: int = MEMBERS_PER_TASK  # the first one not handed out
    at_end: bool = False  # every member has been handed out
    crashed_members: int = 0
    unread_members: int = 0
    cpu_ms: int = 0  # that its tasks took
    read_error: str = ""  # why not all members could be read
    is_finishing: bool = False  # FinishArchive was handed out
    has_row: bool = False  # its own row has arrived

    def accepts(self, worker: Worker | None) -> bool:
        """Whether there is a task for this worker; for None, whether there is one for any worker."""
        if self.report is None or self.has_row:
            return False
        if not self.at_end:
            return not self.report.is_stream or worker is self.stream_worker
        return not self.in_flight and not self.is_finishing

    def members_per_task(self) -> int:
        """Members of the next range."""
        return MEMBERS_PER_TASK

    def _end_of_range(self, first: int) -> int:
        """Where a group of members ends, so that no two workers decompress the same one."""
        end, group = first + self.members_per_task(), self.report.group_size if self.report else 1
        return end if group <= 1 else -(-end // group) * group

    def next_task(self) -> ArchiveTask:
        """The next range of members, or the task that finishes the archive."""
        assert self.report
        self.in_flight += 1
        if not self.at_end:
            first = self.next_member
            self.next_member = self._end_of_range(first)
            return ReadMembers(self.path, MemberRange(first, self.next_member), self.report.state)
        self.is_finishing = True
        return FinishArchive(self.path, self.report.state, *archive_outcome(self.crashed_members, self.unread_members, self.read_error))


class ArchiveScheduler(Generic[Worker]):
    """A source of tasks: those of the archives that are being read."""

    state: type[ArchiveState[Worker]] = ArchiveState

    def __init__(self) -> None:
        self._archives: dict[bytes, ArchiveState[Worker]] = {}

    def add(self, task: ReadMembers) -> None:
        """The first task of an archive was handed out."""
        self._archives[task.path] = self.state(task.path)

    def has_shared_task(self) -> bool:
        """Whether there is a task for any worker."""
        return any(archive.accepts(None) for archive in self._archives.values())

    def next_task(self, worker: Worker) -> ArchiveTask | None:
        """A task for this worker, if there is one."""
        return next((archive.next_task() for archive in self._archives.values() if archive.accepts(worker)), None)

    def reassign(self, old: Worker, new: Worker) -> None:
        """A worker has died: its replacement reads its streams again from the start."""
        for archive in self._archives.values():
            if archive.stream_worker is old:
                archive.stream_worker = new

    def split(self, task: ReadMembers, parts: int) -> None:
        """A task is handed out again in this many parts."""
        self._archives[task.path].in_flight += parts - 1

    def answered(self, task: ArchiveTask, report: ArchiveReport, worker: Worker) -> None:
        """A task was answered."""
        archive = self._archives[task.path]
        archive.answered += 1
        if not archive.report and report.state != UNKNOWN_STATE:
            archive.report, archive.stream_worker = report, worker
        archive.at_end |= report.at_end
        archive.has_row |= report.has_archive_row
        archive.crashed_members += report.crashed_members
        archive.unread_members += report.unread_members
        archive.read_error = archive.read_error or report.read_error
        archive.cpu_ms += report.cpu_ms
        if archive.report and not archive.at_end and archive.cpu_ms > 1000 * max_cpu_seconds(archive.report.state.size):
            archive.at_end, archive.read_error = True, TIME_ERROR
        self._remove(archive)

    def given_up(self, task: ArchiveTask) -> None:
        """A task has crashed too often: what it failed at has got its row, a single member or else the archive itself."""
        archive = self._archives[task.path]
        if isinstance(task, ReadMembers) and task.members.is_single_part:
            archive.crashed_members += 1
        else:
            archive.has_row = True
        self._remove(archive)

    def _remove(self, archive: ArchiveState[Worker]) -> None:
        """Count the answer to a task; forget the archive after the last one."""
        archive.in_flight -= 1
        if archive.has_row and not archive.in_flight:
            del self._archives[archive.path]
