"""The archives in work, as the parent sees them: what of each to deal next, and to whom.

Nobody knows how many members an archive has before it was read to its end. So pieces are dealt until a
worker says that there is no more; one dealt too many comes back empty. Of a file or a zip, which can be
read anywhere, pieces go to any worker. A compressed stream is read by the worker that began it.
When all pieces are answered a last one closes the archive, so that its row is never written before
those of its members.
"""

from __future__ import annotations

from dataclasses import dataclass

from midiopt.pipeline.tasks import MEMBERS_PER_TASK, ArchiveReport, FinishArchive, MemberRange, ReadMembers
from midiopt.schema import CRASHED, OPENED, REJECTED

ArchiveTask = ReadMembers | FinishArchive


@dataclass
class _Archive:
    path: bytes
    hand: object = None  # that answered its first piece; of a stream it gets all others
    out: int = 1  # pieces dealt and not answered
    next: int = MEMBERS_PER_TASK  # the first member not yet dealt
    report: ArchiveReport | None = None  # about the first piece that was answered
    at_end: bool = False
    settled: bool = False  # its row is written
    lost: int = 0  # members that killed their workers
    read_error: str = ""
    finishing: bool = False

    def can_go_to(self, hand: object) -> bool:
        if self.report is None or self.settled:
            return False
        if not self.at_end:
            return not self.report.is_stream or hand is self.hand
        return not self.out and not self.finishing

    def deal(self) -> ArchiveTask:
        assert self.report
        self.out += 1
        if self.at_end:
            self.finishing = True
            if self.lost:
                return FinishArchive(self.path, self.report.state, CRASHED, f"{self.lost:,} of its members ended as crashed")
            return FinishArchive(self.path, self.report.state, REJECTED if self.read_error else OPENED, self.read_error)
        first = self.next
        self.next += MEMBERS_PER_TASK
        return ReadMembers(self.path, MemberRange(first, self.next), self.report.state)


class Unpacking:
    """What to deal of the archives in work."""

    def __init__(self) -> None:
        self.archives: dict[bytes, _Archive] = {}

    def begin(self, task: ReadMembers) -> None:
        """The first piece of an archive was dealt."""
        self.archives[task.path] = _Archive(task.path)

    def is_shared(self) -> bool:
        """Whether there is something for any worker."""
        return any(archive.can_go_to(None) for archive in self.archives.values())

    def take(self, hand: object) -> ArchiveTask | None:
        """A piece for this worker."""
        for archive in self.archives.values():
            if archive.can_go_to(hand):
                return archive.deal()
        return None

    def moved(self, old: object, new: object) -> None:
        """A worker died; its streams begin anew with the one that takes its place."""
        for archive in self.archives.values():
            if archive.hand is old:
                archive.hand = new

    def answered(self, task: ArchiveTask, report: ArchiveReport | None, hand: object = None) -> None:
        """A piece came back; without a report it was given up, and its row says so."""
        archive = self.archives[task.path]
        archive.out -= 1
        if report:
            if not archive.report:
                archive.report, archive.hand = report, hand
            archive.at_end |= report.at_end
            archive.settled |= report.has_archive_row
            archive.read_error = archive.read_error or report.read_error
        elif isinstance(task, ReadMembers) and task.members.is_single_part:
            archive.lost += 1
        else:
            archive.settled = True
        if archive.settled and not archive.out:
            del self.archives[task.path]

    def split(self, task: ReadMembers, pieces: int) -> None:
        """A piece is dealt again as so many."""
        self.archives[task.path].out += pieces - 1
