"""Archives as a row of members, whatever their format; nothing is unpacked to disk.

The format is told by how the file begins and not by its name. Members that a folder's walk would take
count: those with a MIDI suffix, MIDI files that were compressed alone, and archives.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from midiopt.errors import Damaged, TooLarge
from midiopt.sources.archives import tar
from midiopt.sources.archives.decompress import FREE_BYTES, KINDS, MOST_RATIO, Stream
from midiopt.sources.archives.zip import Entry, directory, unpacked
from midiopt.sources.filetypes import is_appledouble, is_wanted
from midiopt.sources.path_set import PathSet
from midiopt.sources.sniff import detect_type

MOST_NAME = 0xFFFF  # bytes, what zip allows


class NotAnArchive(Exception):
    """Its text says what the bytes are instead."""


class Member(NamedTuple):
    name: bytes  # a name met before in this archive ends with #2, #3 and so on
    size: int
    mtime_ns: int
    packed: int  # bytes it takes in the archive
    passed: int  # AppleDouble files since the last member
    archive: Archive
    entry: Any  # what the format says of it

    def data(self) -> bytes | memoryview:
        """Its bytes, which hold until the next member is taken. Raises Damaged or TooLarge."""
        return self.archive.data_of(self)


class Disk:
    """An archive on disk, opened once: it stays what it was when another file takes its name."""

    def __init__(self, path: bytes) -> None:
        # O_NONBLOCK: a FIFO that took its place must not stop the run.
        self.fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
        self.file = io.FileIO(self.fd)
        info = os.fstat(self.fd)
        if not stat.S_ISREG(info.st_mode):
            self.file.close()
            raise OSError(22, "not a regular file")
        self.size, self.mtime_ns = info.st_size, info.st_mtime_ns

    def read(self, size: int, at: int) -> bytes:
        return os.pread(self.fd, size, at)

    def close(self) -> None:
        self.file.close()

    def is_unchanged(self) -> bool:
        info = os.fstat(self.fd)
        return (info.st_size, info.st_mtime_ns) == (self.size, self.mtime_ns)


class Memory:
    """An archive inside another."""

    fd = -1

    def __init__(self, data: bytes) -> None:
        self.file = io.BytesIO(data)
        self.size = len(data)

    def read(self, size: int, at: int) -> bytes:
        return self.file.getbuffer()[at : at + size].tobytes()


class Archive:
    """The members of an archive, one after another.

    ``position`` is the number of the next one, ``ended`` whether there is none, ``passed`` how many
    AppleDouble files stood before the end, and ``is_stream`` whether going back means starting anew.
    Raises NotAnArchive.
    """

    def __init__(self, file: Disk | Memory, limit: int, alive: Callable[[], None] = lambda: None) -> None:
        self.file = file
        self.limit = limit
        self.position = 0
        self.passed = 0
        self.ended = False
        self.trouble = ""  # why not all of it could be read
        self.tar: tar.Tar | None = None
        head = file.read(1024, 0)
        kind = next((kind for magic, kind in KINDS.items() if head.startswith(magic)), None)
        self.is_stream = kind is not None
        if kind is not None:
            self.tar = tar.Tar(stream=Stream(file.file, kind, alive))
        elif tar.is_header(head):
            self.tar = tar.Tar(file.fd) if file.fd >= 0 else tar.Tar(stream=file.file)
        elif not head.startswith((b"PK\3\4", b"PK\5\6")):
            raise NotAnArchive(_instead(head))
        self.members = self._members()

    def take(self, first: int, last: int) -> Iterator[Member]:
        """Members number ``first`` to ``last``, that excluded; ``first`` must not be before ``position``."""
        if self.tar:
            self.tar.wanted = False
        try:
            while self.position < last and not self.ended:
                if self.tar and self.position >= first:
                    self.tar.wanted = True
                member = next(self.members, None)
                if member is None:
                    self.ended = True
                elif self.position >= first:
                    yield member
                self.position += member is not None
        except Damaged as problem:
            self.ended, self.trouble = True, str(problem)

    def _members(self) -> Iterator[Member]:
        names, promised, passed = PathSet(), 0, 0
        for name, size, mtime_ns, packed, entry in self.tar or self._zip_entries():
            if not is_wanted(name):
                continue
            if is_appledouble(name):
                passed += 1
                continue
            if len(name) > MOST_NAME:
                raise Damaged(f"a name of {len(name):,} bytes")
            if not self.tar and size <= self.limit:  # of a stream, what is unpacked counts
                promised += size
                if promised > FREE_BYTES + MOST_RATIO * self.file.size:
                    raise Damaged(f"a bomb: it unpacks to more than {MOST_RATIO} times its size")
            if (count := names.add(name)) > 1:
                name += b"#%d" % count
            yield Member(name, size, mtime_ns, packed, passed, self, entry)
            passed = 0
        self.passed = passed

    def _zip_entries(self) -> Iterator[tuple[bytes, int, int, int, Entry]]:
        for entry in directory(self.file):
            if entry.is_file:
                yield entry.name, entry.size, entry.mtime_ns, entry.packed, entry

    def data_of(self, member: Member) -> bytes | memoryview:
        if not self.tar:
            return unpacked(self.file, member.entry, self.limit)
        if member.entry == tar.HARD_LINK:
            raise Damaged("it is a link to another member")
        if member.entry == tar.SPARSE:
            raise Damaged("it is a sparse file, which is not supported")
        if member.size > self.limit:
            raise TooLarge(f"{member.size:,} bytes, over the limit of {self.limit:,}", 0)
        return self.tar.data(member.size)


def _instead(head: bytes) -> str:
    if not head:
        return "the file is empty"
    noun = "a MIDI file" if head.startswith(b"MThd") else detect_type(head)
    return f"it looks like {noun}: no archive that midiopt reads" if noun else "no archive that midiopt reads"
