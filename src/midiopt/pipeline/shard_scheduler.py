"""Schedules archives over an executor, whose workers are no longer known by name once a task is done.

A range is a task that any worker can begin: of a plain tar or zip it walks the headers up to its first member, of a compressed
stream it decompresses everything up to there. So a range is longer than in a local run, of a stream most of all, and only as many
are handed out ahead as were answered: where the archive ends is known only when a range has found it.
"""

from __future__ import annotations

from dataclasses import dataclass

from midiopt.pipeline.archive_scheduler import ArchiveScheduler, ArchiveState, ArchiveTask
from midiopt.pipeline.tasks import FIRST_OF_SHARD, MEMBERS_PER_SHARD, ArchiveReport, ReadMembers
from midiopt.pipeline.worker_handle import WorkerHandle

MEMBERS_PER_STREAM = 8 * MEMBERS_PER_SHARD  # their rows take 40 MB


@dataclass
class _ShardState(ArchiveState[None]):
    next_member: int = MEMBERS_PER_SHARD

    def accepts(self, worker: None) -> bool:
        """Whether there is a task."""
        if self.report is None or self.has_row:
            return False
        if self.at_end:
            return not self.in_flight and not self.is_finishing
        return self.in_flight < (1 if self.report.is_stream else self.answered)

    def members_per_task(self) -> int:
        """Members of the next range."""
        return MEMBERS_PER_STREAM if self.report and self.report.is_stream else MEMBERS_PER_SHARD


class ShardScheduler(ArchiveScheduler[None]):
    """The driver's side."""

    state = _ShardState

    def first_task(self, task: ReadMembers) -> ReadMembers:
        """The first range of an archive that the walk has found."""
        self.add(task)
        return task._replace(members=FIRST_OF_SHARD)

    def answered_in_parts(self, task: ArchiveTask, reports: list[ArchiveReport]) -> None:
        """A task was answered; a worker that died of a member has divided it."""
        if isinstance(task, ReadMembers):
            self.split(task, len(reports))
        for report in reports:
            self.answered(task, report, None)


class OneRange(ArchiveScheduler[WorkerHandle]):
    """The worker's side: a task is one range, and the driver decides what comes next."""

    def add(self, task: ReadMembers) -> None:
        """Remember nothing."""

    def split(self, task: ReadMembers, parts: int) -> None:
        """The parts are answered each by itself."""

    def answered(self, task: ArchiveTask, report: ArchiveReport, worker: WorkerHandle) -> None:
        """The driver learns it from the report."""

    def given_up(self, task: ArchiveTask) -> None:
        """The driver learns it from the report."""
