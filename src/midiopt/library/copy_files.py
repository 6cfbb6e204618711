"""Copying or linking the files that a search has found into a folder.

No file is ever overwritten, and nothing is written outside the folder: a name that is taken by other content gets a number, and folders
are opened one by one without following links. A file is there already if one of its numbered names has its content, so that a second
run continues the first one.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count, groupby
from typing import TYPE_CHECKING

from midiopt.errors import MidioptError, SourceError
from midiopt.library.search import Found
from midiopt.library.target_names import numbered, target_name
from midiopt.rows.builder import content_hasher
from midiopt.schema import MEMBER_SEPARATOR
from midiopt.sources.content import read_members, read_stored
from midiopt.sources.file_state import FileState
from midiopt.sources.filetypes import is_compressed
from midiopt.sources.paths import archive_in, is_truncated, path_bytes

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

CHANGED = "it has changed since it was analysed; midiopt analyze brings the database up to date"
MAX_MEMBERS = 1000  # of an archive that are looked for in one pass
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass
class CopyCounts:
    """What became of the files."""

    copied: int = 0
    linked: int = 0
    there: int = 0
    """Number of files that were there already."""
    failed: int = 0

    @property
    def files(self) -> int:
        """Number of all files so far."""
        return self.copied + self.linked + self.there + self.failed


class FileCopier:
    """Copies files into `folder`, which is made if it is not there, under names that the template gives.

    With `links`, files that lie on the disk as they are get a symbolic link; members of archives and compressed files are copied.
    ``content_key`` is that of the database, whose hashes tell whether a file has changed.
    """

    def __init__(self, folder: str, template: str, content_key: bytes, links: bool, failed: Callable[[str, str], None]) -> None:
        self.counts = CopyCounts()
        self._template = template
        self._hash = content_hasher(content_key)
        self._links = links
        self._failed = failed
        try:
            os.makedirs(folder, exist_ok=True)
            self._folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as problem:
            raise SourceError(f"{folder}: {problem.strerror or problem}") from None
        self._part = f".midiopt-{os.getpid()}.part"

    def close(self) -> None:
        """Close the folder."""
        os.close(self._folder)

    def copy(self, files: Iterable[Found]) -> Iterator[CopyCounts]:
        """Copy the files, those of one archive together; yields the counts after each. Files come in the order of their paths."""
        for archive, group in groupby(files, lambda file: archive_in(file.path)):
            if archive is None:
                for file in group:
                    self._file(file)
                    yield self.counts
                continue
            members = iter(group)
            while part := [file for _, file in zip(range(MAX_MEMBERS), members, strict=False)]:
                yield from self._members(archive, part)

    def _file(self, file: Found) -> None:
        path = path_bytes(file.path)
        try:
            self._check(file)
            if self._links and not is_compressed(path):
                info = os.stat(path)
                if FileState.from_stat(info) != (file.size_bytes, file.mtime_ns):
                    raise SourceError(CHANGED)
                self._link(file, path)
            else:
                self._write(file, read_stored(file.path))
        except (OSError, ValueError, MidioptError) as problem:
            self._fail(file, problem)

    def _members(self, archive: str, files: list[Found]) -> Iterator[CopyCounts]:
        rest = {file.path.removeprefix(archive + MEMBER_SEPARATOR): file for file in files}
        reason: Exception = SourceError("it is no longer in the archive")
        try:
            for member, data in read_members(path_bytes(archive), list(rest)):
                if (file := rest.pop(member, None)) is None:
                    if isinstance(data, Exception):
                        reason = data  # of an archive inside
                    continue
                try:
                    self._check(file)
                    if isinstance(data, Exception):
                        raise data
                    self._write(file, data)
                except (OSError, ValueError, MidioptError) as problem:
                    self._fail(file, problem)
                yield self.counts
        except (OSError, ValueError, MidioptError) as problem:
            reason = problem
        for file in rest.values():
            self._fail(file, reason)
            yield self.counts

    def _check(self, file: Found) -> None:
        if is_truncated(file.path):
            raise SourceError("its path is too long to be stored whole")

    def _fail(self, file: Found, problem: Exception) -> None:
        self.counts.failed += 1
        self._failed(file.path, (problem.strerror or str(problem)) if isinstance(problem, OSError) else str(problem))

    # --- below the folder ---

    def _write(self, file: Found, data: Buffer) -> None:
        """Write the content under the first name that is free, unless one before it has this content."""
        if file.content_hash is not None and self._hash(data) != file.content_hash:
            raise SourceError(CHANGED)
        with self._open_folder(file) as (folder, name, suffix):
            for number in count(1):
                target = numbered(name, suffix, number)
                if _is_same(folder, target, data):
                    self.counts.there += 1
                    return
                if not _exists(folder, target) and self._put(folder, target, data, file.mtime_ns):
                    self.counts.copied += 1
                    return

    def _put(self, folder: int, target: str, data: Buffer, mtime_ns: int) -> bool:
        """Whether the file could get this name: another program may have taken it meanwhile."""
        try:
            descriptor = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666, dir_fd=folder)
            with open(descriptor, "wb") as part:
                part.write(data)
                part.flush()
                with contextlib.suppress(OSError, OverflowError):
                    os.utime(descriptor, ns=(mtime_ns, mtime_ns))
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

    def _link(self, file: Found, path: bytes) -> None:
        with self._open_folder(file) as (folder, name, suffix):
            for number in count(1):
                target = numbered(name, suffix, number)
                try:
                    os.symlink(path, target.encode(), dir_fd=folder)
                except FileExistsError:
                    if _exists(folder, target, os.fsdecode(path)):
                        self.counts.there += 1
                        return
                    continue
                self.counts.linked += 1
                return

    @contextlib.contextmanager
    def _open_folder(self, file: Found) -> Iterator[tuple[int, str, str]]:
        """The folder that the name of a file begins with, made if need be, and the rest of the name: without the suffix, and that."""
        *folders, name, suffix = target_name(self._template, file)
        with contextlib.ExitStack() as opened:
            descriptor = self._folder
            for folder in folders:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(folder, dir_fd=descriptor)
                try:
                    descriptor = os.open(folder, _DIRECTORY, dir_fd=descriptor)
                except OSError:
                    raise SourceError(f"{folder} in the folder of copies is a link or no folder") from None
                opened.callback(os.close, descriptor)
            yield descriptor, name, suffix


def _exists(folder: int, name: str, link: str | None = None) -> bool:
    """Whether there is something of this name; with `link`, a symbolic link to that path."""
    try:
        if link is not None:
            return os.readlink(name, dir_fd=folder) == link
        os.lstat(name, dir_fd=folder)
    except OSError:
        return False
    return True


def _is_same(folder: int, name: str, data: Buffer) -> bool:
    """Whether there is a file of this name with this content."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return False
    with open(descriptor, "rb") as file:
        info = os.fstat(descriptor)
        return stat.S_ISREG(info.st_mode) and info.st_size == memoryview(data).nbytes and file.read() == bytes(data)
