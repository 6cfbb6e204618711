"""A folder that files are written into: nothing is written outside of it, and no file is overwritten unless that is asked for.

A name that is taken by other content gets a number, and folders are opened one by one without following links. A file is there already if
one of its numbered names has its content, so that a second run continues the first one. What has these names is read once: when it was
for each file, 2,000 of one name took 92 s, and take 0.24. Parts that a killed one has left are deleted.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import xxhash

from midiopt.errors import SourceError, TargetFull
from midiopt.library.part_files import open_part, part_name, remove_left_parts
from midiopt.library.target_names import numbered
from midiopt.limits import MAX_FILE_BYTES

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

_PART = ".midiopt"
_FULL = {errno.ENOSPC, errno.EDQUOT}
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class _Entry(NamedTuple):
    """A file or a link in a folder."""

    content: bytes  # or the path that the link leads to
    is_link: bool = False

    @property
    def key(self) -> bytes:
        """By which it is looked for; found, it is compared."""
        return xxhash.xxh3_128_digest(self.content)


_OTHER = _Entry(b"", is_link=True)  # stands for a folder and the like, and for a file that is too large to be a copy


class _Taken:
    """The numbers of a name that are taken: all before ``next``, and by what."""

    def __init__(self) -> None:
        self.next = 1
        self.targets: dict[bytes, str] = {}

    def add(self, entry: _Entry, target: str) -> None:
        """The next number is that of this entry."""
        self.targets[entry.key] = target
        self.next += 1


class TargetFolder:
    """The folder, which is made if it is not there. Names are sequences of folders, a name and its suffix.

    With ``replaces``, a file that was there before is replaced: none that this object has written or found to be there already, and none in
    ``sources``, the (device, inode) of files that were read.
    """

    def __init__(self, folder: str, replaces: bool = False) -> None:
        self.sources: set[tuple[int, int]] = set()
        self._replaces = replaces
        self._kept: set[tuple[str, ...]] = set()  # names that have the content of a file
        self._path = folder
        try:
            os.makedirs(folder, exist_ok=True)
            self._folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as problem:
            raise SourceError(f"{folder}: {problem.strerror or problem}") from None
        self._part = part_name(_PART)
        self._known: set[tuple[str, ...]] = set()  # folders without parts that were left
        self._taken: dict[tuple[str, ...], _Taken] = {}  # of names that several files have

    def close(self) -> None:
        """Close the folder."""
        os.close(self._folder)

    def write(self, names: Sequence[str], data: Buffer, mtime_ns: int | None = None) -> tuple[str, bool]:
        """Write the content under the first name that is free, unless one before it has this content.

        Returns the path, and whether it was written, not there already. Raises TargetFull on a full disk.
        """
        folders = names[:-2]
        entry = _Entry(bytes(data))
        with self._open(folders) as folder:

            def put(target: str, is_free: bool) -> bool:
                replaces = self._replaces and (*folders, target) not in self._kept and self._may_replace(folder, target)
                return (replaces or is_free) and self._put(folder, target, data, mtime_ns, replaces)

            target, is_new = self._place(folder, names, entry, put)
            self._kept.add((*folders, target))
            with contextlib.suppress(OSError):
                self.sources.add(_identity(os.lstat(target, dir_fd=folder)))  # where X.mid is x.mid
        return os.path.join(self._path, *folders, target), is_new

    def link(self, names: Sequence[str], path: bytes) -> bool:
        """Make a symbolic link to the path; False if it is there already. Raises TargetFull on a full disk."""
        with self._open(names[:-2]) as folder:

            def put(target: str, is_free: bool) -> bool:
                try:
                    os.symlink(path, target.encode(), dir_fd=folder)
                except FileExistsError:
                    return False
                return True

            return self._place(folder, names, _Entry(path, is_link=True), put)[1]

    def _place(self, folder: int, names: Sequence[str], entry: _Entry, put: Callable[[str, bool], bool]) -> tuple[str, bool]:
        """The first name that has the entry or that ``put`` gives it, of those that are not known to have another; and whether it did.

        ``put`` is told whether the name is free, and says False if it is not.
        """
        taken = self._taken.get(tuple(names))
        max_bytes = max(len(entry.content), MAX_FILE_BYTES)
        if taken and (target := taken.targets.get(entry.key)) and _entry(folder, target, max_bytes) == entry:
            return target, False
        is_new = False
        while True:
            target = numbered(names[-2], names[-1], taken.next if taken else 1)
            there = _entry(folder, target, max_bytes)
            if there != entry and put(target, there is None):
                there, is_new = entry, True
            elif there is None:  # another program has made it meanwhile
                there = _entry(folder, target, max_bytes) or _OTHER
            if there != entry:
                taken = self._taken.setdefault(tuple(names), _Taken())
            if taken:
                taken.add(there, target)
            if there == entry:
                return target, is_new

    def _may_replace(self, folder: int, target: str) -> bool:
        """Whether there is a regular file of this name, or a link, that is no source."""
        try:
            info = os.lstat(target, dir_fd=folder)
        except OSError:
            return False
        return (stat.S_ISREG(info.st_mode) or stat.S_ISLNK(info.st_mode)) and _identity(info) not in self.sources

    def _put(self, folder: int, target: str, data: Buffer, mtime_ns: int | None, replaces: bool) -> bool:
        """Whether the file could get this name: another program may have taken it meanwhile."""
        locked = open_part(self._part, folder)  # until it has its name
        try:
            with open(os.dup(locked), "wb") as part:  # a share may say only where it is closed that it is full
                part.write(data)
                part.flush()
                if mtime_ns is not None:
                    with contextlib.suppress(OSError, OverflowError):
                        os.utime(locked, ns=(mtime_ns, mtime_ns))
            if replaces:
                os.rename(self._part, target, src_dir_fd=folder, dst_dir_fd=folder)
                return True
            try:
                os.link(self._part, target, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
            except FileExistsError:
                return False
            except OSError:  # FAT has no hard links
                if _exists(folder, target):
                    return False
                os.rename(self._part, target, src_dir_fd=folder, dst_dir_fd=folder)
            return True
        finally:
            with contextlib.suppress(OSError):
                os.unlink(self._part, dir_fd=folder)
            os.close(locked)

    @contextlib.contextmanager
    def _open(self, folders: Sequence[str]) -> Iterator[int]:
        """The last of the folders, each in the one before, made if need be. A full disk meanwhile raises TargetFull."""
        with contextlib.ExitStack() as opened, self._full_disks():
            descriptor = self._folder
            for folder in folders:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(folder, dir_fd=descriptor)
                try:
                    descriptor = os.open(folder, _DIRECTORY, dir_fd=descriptor)
                except OSError:
                    raise SourceError(f"{folder} in the folder of copies is a link or no folder") from None
                opened.callback(os.close, descriptor)
            if tuple(folders) not in self._known:
                remove_left_parts(descriptor, _PART)
                self._known.add(tuple(folders))
            yield descriptor

    @contextlib.contextmanager
    def _full_disks(self) -> Iterator[None]:
        try:
            yield
        except OSError as problem:
            if problem.errno not in _FULL:
                raise
            raise TargetFull(f"{self._path}: {problem.strerror}; make room and run the same command again") from None


def _identity(info: os.stat_result) -> tuple[int, int]:
    return info.st_dev, info.st_ino


def _exists(folder: int, name: str) -> bool:
    """Whether there is something of this name."""
    try:
        os.lstat(name, dir_fd=folder)
    except OSError:
        return False
    return True


def _entry(folder: int, name: str, max_bytes: int) -> _Entry | None:
    """What has this name, if anything. Raises OSError where that cannot be known, as for a name that is too long."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        return None
    except OSError:
        with contextlib.suppress(OSError):
            return _Entry(os.readlink(name.encode(), dir_fd=folder), is_link=True)
        if not _exists(folder, name):
            raise
        return _OTHER
    with contextlib.ExitStack() as opened:
        opened.callback(os.close, descriptor)
        info = os.fstat(descriptor)
        if not stat.S_ISREG(info.st_mode) or info.st_size > max_bytes:
            return _OTHER
        return _Entry(opened.enter_context(open(descriptor, "rb", closefd=False)).read())
