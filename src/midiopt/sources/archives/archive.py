"""The members of an archive in order, whatever its format; nothing is extracted to disk.

The format is detected from the first bytes, not from the name. The same files count as in a folder: those with a
MIDI suffix, MIDI files that were compressed alone, and archives.
"""

from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, TypeAlias, cast

from midiopt.errors import Damaged, NotAnArchive, TooLarge, over_limit
from midiopt.sources.archives import tar
from midiopt.sources.archives.budget import Budget
from midiopt.sources.archives.decompress import Decompressor, find_magic
from midiopt.sources.archives.hard_links import HardLinks, Place
from midiopt.sources.archives.limits import BOMB_ERROR, BOMB_RATIO, DEFAULT_LIMITS, ROWS_ERROR, ArchiveLimits, max_rows
from midiopt.sources.archives.stream import Stream
from midiopt.sources.archives.table import Table, TableRow, is_table
from midiopt.sources.archives.tar_header import is_header as is_tar_header
from midiopt.sources.archives.tar_types import HardLink, Sparse
from midiopt.sources.archives.zip import read_entry
from midiopt.sources.archives.zip_directory import Entry, NoDirectory, is_zip, iter_central_directory
from midiopt.sources.archives.zip_local import iter_local_headers
from midiopt.sources.file_state import FileState
from midiopt.sources.filetypes import is_appledouble, is_wanted
from midiopt.sources.path_set import PathSet
from midiopt.sources.sniff import MIDI, SNIFF_BYTES, ZIP, ZIP_EMPTY, detect_type
from midiopt.sources.urls import is_url

if TYPE_CHECKING:
    from midiopt.sources.archives.remote import RemoteArchive

MAX_NAME_BYTES = 0xFFFF  # what zip allows
MEMBERS_PER_TIME_CHECK = 8  # a check costs 0.3 us, and a member at most --file-timeout
ENTRIES_PER_SIGN_OF_LIFE = 64  # that are skipped: on a slow disk each header in a tar takes a seek of 10 ms


class Member(NamedTuple):
    """A file in an archive that counts."""

    name: bytes  # unique in the archive: the second member of a name ends with #2, the third with #3
    original_name: bytes  # as the archive has it, which says the type
    size: int  # bytes, decompressed
    mtime_ns: int
    compressed_size: int  # bytes that it takes in the archive
    skipped_before: int  # AppleDouble files between the previous member and this one
    archive: Archive
    entry: Entry | HardLink | Place | Sparse | TableRow | None  # where its content is; in a tar None, if it is behind its header

    def data(self) -> bytes | memoryview:
        """Its content, valid until the next member is taken. Raises Damaged or TooLarge."""
        return self.archive.read_member(self)

    def packed_bytes(self) -> int:
        """Bytes that it takes in the archive, once it has been read; in a compressed stream by the ratio up to here."""
        return self.archive.packed_bytes(self)


class FileArchive:
    """An archive on disk. It stays open, so it is the same file even when another one takes its path."""

    def __init__(self, path: bytes) -> None:
        # O_NONBLOCK: opening a FIFO that has replaced the file must not block.
        self.fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
        self.file = io.FileIO(self.fd)
        info = os.fstat(self.fd)
        if not stat.S_ISREG(info.st_mode):
            self.file.close()
            raise OSError(22, "not a regular file")
        self.state = FileState.from_stat(info)
        self.size = self.state.size

    def read(self, size: int, offset: int) -> bytes:
        """At most ``size`` bytes from ``offset``; fewer where the file ends, none outside it."""
        if not 0 <= offset < self.size:
            return b""
        end = min(offset + size, self.size)
        data = os.pread(self.fd, end - offset, offset)
        while offset + len(data) < end:  # file systems of a network may give less than they have
            more = os.pread(self.fd, end - offset - len(data), offset + len(data))
            if not more:
                break
            data += more
        return data

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    def is_unchanged(self) -> bool:
        """Whether the file still is what it was when it was opened."""
        return FileState.from_stat(os.fstat(self.fd)) == self.state


def open_archive(path: bytes, show_life: Callable[[], None] = lambda: None) -> FileArchive | RemoteArchive:
    """The archive at a path or URL. Raises OSError."""
    if is_url(path):
        from midiopt.sources.archives.remote import RemoteArchive  # which most runs never need

        return RemoteArchive(path, show_life)
    return FileArchive(path)


def state_at(path: bytes) -> FileState:
    """The state of the archive at a path or URL. Raises OSError."""
    if is_url(path):
        from midiopt.sources.objects import backend_of

        return backend_of(path).head(path)
    return FileState.from_stat(os.stat(path))


class MemoryArchive:
    """An archive inside another."""

    fd = -1

    def __init__(self, data: bytes) -> None:
        self.file = io.BytesIO(data)
        self.size = len(data)

    def read(self, size: int, offset: int) -> bytes:
        """At most ``size`` bytes from ``offset``; fewer where the file ends, none outside it."""
        return self.file.getbuffer()[offset : offset + size].tobytes() if offset >= 0 else b""


AnyArchive: TypeAlias = "FileArchive | MemoryArchive | RemoteArchive"


class Archive:
    """Reads the members of an archive in order. Raises NotAnArchive.

    ``position`` is the number of the next member. ``at_end`` says that there is none; then ``skipped_at_end`` counts the
    AppleDouble files behind the last member, and ``read_error`` says why not all members could be read. ``is_stream`` says
    that the archive can only be read from front to back; else ``group_size`` members are best read by one worker. An archive inside
    another shares its ``budget``. Unless ``with_sizes``, the members of a table have the size 0 until they are read.
    """

    with_sizes = True

    def __init__(self, file: AnyArchive, limits: ArchiveLimits = DEFAULT_LIMITS, budget: Budget | None = None) -> None:
        self.position = 0
        self.at_end = False
        self.skipped_at_end = 0
        self.read_error = ""
        self._file = file
        self._limits = limits
        self.budget = budget or Budget(file.size, limits)
        self._tar: tar.Tar | None = None
        self._table: Table | None = None
        self.group_size = 1
        self._stream: Decompressor | None = None
        head = file.read(SNIFF_BYTES, 0)
        magic = find_magic(head)
        self.is_stream = magic is not None
        if magic is not None:
            self._stream = Decompressor(cast(BinaryIO, file.file), magic, self.budget, limits.bomb_min_bytes)
            self._tar = tar.Tar(stream=self._stream)
            self._links = HardLinks(
                lambda: tar.Tar(stream=Decompressor(Stream(file), magic, self.budget, limits.bomb_min_bytes))  # type: ignore[arg-type]
            )
        elif is_tar_header(head):

            def open_tar() -> tar.Tar:
                return tar.Tar(file.fd) if file.fd >= 0 else tar.Tar(stream=Stream(file))

            self._tar, self._links = open_tar(), HardLinks(open_tar)
        elif is_table(head):
            self._table = Table(file, head, limits)
            self.group_size, self.is_stream = self._table.group_rows, not self._table.group_rows
        elif not head.startswith((ZIP, ZIP_EMPTY)) and not is_zip(file):
            raise NotAnArchive(_describe_other_type(head))
        self._members = self._iter_members()

    def members(self, first: int, end: int) -> Iterator[Member]:
        """Members number ``first`` to ``end`` (excluded); ``first`` must not be less than ``position``."""
        if self._tar:
            self._tar.read_ahead = False
        if self._table:
            self._table.first = first if self.with_sizes else sys.maxsize
        try:
            while self.position < end and not self.at_end:
                if self._tar and self.position >= first:
                    self._tar.read_ahead = True
                member = next(self._members, None)
                if member is None:
                    self.at_end = True
                    break
                if self.position >= first:
                    yield member
                self.position += 1
                if self.position % MEMBERS_PER_TIME_CHECK == 0:
                    self.budget.check_time()
        except Damaged as problem:
            self.at_end, self.read_error = True, str(problem)

    def _iter_members(self) -> Iterator[Member]:
        names, promised_bytes, skipped = PathSet(), 0, 0
        rows_left = max_rows(self._file.size, self._limits)
        until_sign_of_life = ENTRIES_PER_SIGN_OF_LIFE
        for name, size, mtime_ns, compressed_size, entry in self._tar or self._table or self._zip_entries():
            until_sign_of_life -= 1
            if not until_sign_of_life:
                self.budget.show_life()
                until_sign_of_life = ENTRIES_PER_SIGN_OF_LIFE
            if not (self._table or is_wanted(name)):
                continue
            if is_appledouble(name):
                skipped += 1
                continue
            if len(name) > MAX_NAME_BYTES:
                raise Damaged(f"member name of {len(name):,} bytes, over the limit of {MAX_NAME_BYTES:,}")
            if isinstance(entry, Entry) and size <= self._limits.max_file_bytes:  # others are counted where they are read
                promised_bytes += size
                if promised_bytes > self._limits.bomb_min_bytes + BOMB_RATIO * self._file.size:
                    raise Damaged(BOMB_ERROR)
            rows_left -= 1
            if rows_left < 0:
                raise Damaged(ROWS_ERROR)
            content: Entry | HardLink | Place | Sparse | TableRow | None = entry
            if isinstance(entry, HardLink) and (place := self._links.find(entry)):
                size, content = place.size, place
            count = names.add(name)
            unique_name = name if count == 1 else name + b"#%d" % count
            yield Member(unique_name, name, size, mtime_ns, compressed_size, skipped, self, content)
            skipped = 0
        self.skipped_at_end = skipped

    def _zip_entries(self) -> Iterator[tuple[bytes, int, int, int, Entry]]:
        try:
            for entry in iter_central_directory(self._file, self._limits.max_file_bytes):
                if entry.is_file:
                    yield entry.name, entry.size, entry.mtime_ns, entry.compressed_size, entry
        except NoDirectory:
            self.is_stream = True  # where sizes follow the data, those of all members before are searched
            for entry in iter_local_headers(self._file):
                if entry.is_file:
                    yield entry.name, entry.size, entry.mtime_ns, entry.compressed_size, entry
            raise

    def read_member(self, member: Member) -> bytes | memoryview:
        """See :meth:`Member.data`."""
        if isinstance(member.entry, Entry):
            return read_entry(self._file, member.entry, self._limits.max_file_bytes, self.budget.spend)
        if isinstance(member.entry, TableRow):
            data = member.entry.data(self._limits.max_file_bytes)
            self.budget.spend(len(data))
            return data
        if isinstance(member.entry, HardLink):
            raise Damaged("hard link to a file that the archive does not have before it")
        if (size := max(member.size, member.compressed_size)) > self._limits.max_file_bytes:
            raise TooLarge(over_limit(size, self._limits.max_file_bytes))
        assert self._tar
        if member.entry is None:
            return self._tar.data(member.size)
        self.budget.spend(member.size)
        if isinstance(member.entry, Place):
            return self._links.read(member.entry)
        return member.entry.restore(self._tar.data(member.entry.stored), member.size)

    def packed_bytes(self, member: Member) -> int:
        """See :meth:`Member.packed_bytes`."""
        if not self._stream:
            return member.compressed_size
        return min(member.size, member.size * self._file.file.tell() // max(1, self._stream.bytes_out))

    def give_up(self, error: str) -> None:
        """Read no more members."""
        self.at_end, self.read_error = True, error


def _describe_other_type(head: bytes) -> str:
    if not head:
        return "the file is empty"
    noun = "a MIDI file" if head.startswith(MIDI) else detect_type(head)
    return f"it looks like {noun}, not a supported archive" if noun else "not a supported archive"
