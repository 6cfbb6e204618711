"""A piece of an archive to rows: what a worker does with it.

The archive stays open between its pieces, so that a worker reads it once from front to back. Every
member ends as a row, one that cannot be had with the reason; so does the archive, when its last piece
is done: `opened`, or `rejected` where not all of it could be read.
"""

from __future__ import annotations

import os
from typing import Protocol

from midiopt.errors import Damaged, MissingExtra, TooLarge
from midiopt.pipeline.tasks import FIRST_MEMBERS, NO_MEMBER, ArchiveReport, FileState, FinishArchive, ReadMembers
from midiopt.schema import OPENED, REJECTED, UNREADABLE
from midiopt.sources.archives.archive import Archive, Disk, Member, Memory, NotAnArchive
from midiopt.sources.archives.decompress import MOST_RATIO, gunzipped
from midiopt.sources.filetypes import is_archive, is_compressed

MOST_OPEN = 4  # archives, as many as a worker has chunks in hand
MOST_NESTED = 2  # archives inside archives
MOST_INSIDE = 100_000  # members of an archive inside another: their rows, about 50 MB, leave in one message
FREE_NESTED = 1 << 20  # bytes that what is inside may unpack to before the ratio counts
INSIDE = b"!/"  # between an archive and its member
CHANGED = "the archive changed while it was read"


class Rows(Protocol):
    """Where rows go, and what must be known before they can be made."""

    max_file_bytes: int

    def begin(self, number: int, part: int, path: bytes) -> None:
        """This is in hand from now on."""

    def alive(self) -> None:
        """What is in hand is still being read: its time counts from now."""

    def wants(self, path: bytes) -> bool:
        """Whether a member that is no archive is to be analysed."""

    def put(self, path: bytes, size: int, mtime_ns: int, status: int, error: str | None) -> None:
        """The row of something without content."""

    def content(self, path: bytes, size: int, mtime_ns: int, data: bytes | memoryview) -> None:
        """The row of some content, analysed."""


class Unpacker:
    """Makes the rows of one piece after another."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.open: dict[bytes, tuple[Disk, Archive | None]] = {}
        self.task: ReadMembers | FinishArchive = ReadMembers(b"")
        self.range = FIRST_MEMBERS
        self.members = 0  # rows of this piece that are not the archive's own
        self.number = self.part = 0  # of the member in hand, and parts of it that were met
        self.allowed = 0  # bytes that the nested archive in hand may still unpack to

    def answer(self, task: ReadMembers | FinishArchive) -> ArchiveReport:
        self.task, self.members = task, 0
        self.rows.begin(NO_MEMBER, 0, task.path)
        try:
            return self._close(task) if isinstance(task, FinishArchive) else self._take(task)
        except OSError as problem:
            return self._settle(task.state, UNREADABLE, problem.strerror)
        except MissingExtra as problem:
            return self._settle(task.state, UNREADABLE, str(problem))

    def _take(self, task: ReadMembers) -> ArchiveReport:
        file = self._file(task)
        state = FileState(file.size, file.mtime_ns)
        piece = self.range = task.members
        if task.state.size >= 0 and state != task.state:
            return self._settle(state, UNREADABLE, CHANGED)
        try:
            archive = self._archive(task, file)
        except NotAnArchive as problem:
            return self._settle(state, REJECTED, str(problem))
        appledouble = 0
        for member in archive.take(piece.first, piece.end):
            appledouble += member.passed
            self._member(member, archive.position)
        if archive.ended and piece.first <= archive.position < piece.end:
            appledouble += archive.passed
        if not file.is_unchanged():
            return self._settle(state, UNREADABLE, CHANGED)
        if archive.ended and piece == FIRST_MEMBERS:
            status = REJECTED if archive.trouble else OPENED
            return self._settle(state, status, archive.trouble or None, appledouble)
        return ArchiveReport(
            at_end=archive.ended,
            is_stream=archive.is_stream,
            members=self.members,
            appledouble=appledouble,
            state=state,
            read_error=archive.trouble,
        )

    def _file(self, piece: ReadMembers) -> Disk:
        """The file of the archive, open; another one if that is past the piece."""
        known = self.open.get(piece.path)
        if known and known[1] and known[1].position > piece.members.first:
            self._drop(piece.path)
            known = None
        if not known:
            if len(self.open) == MOST_OPEN:
                self._drop(next(iter(self.open)))
            known = self.open[piece.path] = Disk(piece.path), None
        return known[0]

    def _archive(self, piece: ReadMembers, file: Disk) -> Archive:
        archive = self.open[piece.path][1]
        if archive is None:
            archive = Archive(file, self.rows.max_file_bytes, self.rows.alive)
            self.open[piece.path] = file, archive
        return archive

    def _drop(self, path: bytes) -> None:
        if known := self.open.pop(path, None):
            known[0].close()

    def _close(self, task: FinishArchive) -> ArchiveReport:
        """The row of an archive whose pieces are all done, if it still is what it was."""
        self._drop(task.path)
        info = os.stat(task.path)
        state = FileState(info.st_size, info.st_mtime_ns)
        if state != task.state:
            return self._settle(state, UNREADABLE, CHANGED)
        return self._settle(task.state, task.status, task.error or None)

    def _settle(self, state: FileState, status: int, error: str | None, appledouble: int = 0) -> ArchiveReport:
        self._drop(self.task.path)
        self.rows.put(self.task.path, max(0, state.size), state.mtime_ns, status, error)
        return ArchiveReport(
            is_finish=isinstance(self.task, FinishArchive),
            at_end=True,
            has_archive_row=True,
            members=self.members,
            appledouble=appledouble,
            state=state,
        )

    def _member(self, member: Member, number: int) -> None:
        """The rows of a member and of all it holds; of a piece of one member, those of its parts."""
        self.part = 0
        self.number = number
        self.allowed = FREE_NESTED + MOST_RATIO * member.packed
        self._rows(member, self.task.path + INSIDE + member.name, 0)

    def _rows(self, member: Member, path: bytes, depth: int) -> None:
        part = self.part
        self.part += 1
        is_mine = self.range.has_part(part)
        if depth:
            self.allowed -= member.size  # whoever analyses it
        if not is_archive(member.name) and not (is_mine and self.rows.wants(path)):
            return
        self.rows.begin(self.number, part, path)
        status: int = OPENED
        error: str | None = None
        try:
            if depth and self.allowed < 0:
                raise TooLarge(f"a bomb: its archive unpacks to more than {MOST_RATIO} times its size", 0)
            if is_archive(member.name):
                error = self._nested(member, path, depth + 1)
                status = REJECTED if error else OPENED
            else:
                data = member.data()
                if is_compressed(member.name):
                    data = gunzipped(data, self.rows.max_file_bytes)
                self.rows.content(path, member.size, member.mtime_ns, data)
                self.members += 1
                return
        except (TooLarge, NotAnArchive) as problem:
            status, error = REJECTED, getattr(problem, "reason", None) or str(problem)
        except OSError as problem:
            status, error = UNREADABLE, problem.strerror
        except (Damaged, MissingExtra) as problem:
            status, error = UNREADABLE, str(problem)
        except MemoryError:
            status, error = UNREADABLE, "not enough memory to unpack it"
        if is_mine:
            self.rows.put(path, member.size, member.mtime_ns, status, error)
            self.members += 1

    def _nested(self, member: Member, path: bytes, depth: int) -> str | None:
        """The rows of what an archive inside another holds; why not all of it could be read."""
        if depth > MOST_NESTED:
            raise NotAnArchive(f"archives inside archives are opened to a depth of {MOST_NESTED}")
        archive = Archive(Memory(bytes(member.data())), self.rows.max_file_bytes, self.rows.alive)
        for inner in archive.take(0, MOST_INSIDE):
            self._rows(inner, path + INSIDE + inner.name, depth)
        if not archive.ended:
            return f"only the first {MOST_INSIDE:,} members of an archive inside another are read"
        return archive.trouble or None
