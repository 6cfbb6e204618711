"""Copying or linking the files that a search has found into a folder, whose names are those of target_folder.py."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from midiopt.errors import SourceError
from midiopt.library.found_content import CHANGED, FAULTS, Content, FoundContents, check_path, reason_of
from midiopt.library.search import Found
from midiopt.library.target_folder import TargetFolder
from midiopt.library.target_names import target_name
from midiopt.schema import OPENED, STATUSES
from midiopt.sources.file_state import FileState
from midiopt.sources.filetypes import is_compressed
from midiopt.sources.paths import archive_in, path_bytes
from midiopt.sources.sniff import GZIP
from midiopt.sources.urls import is_url


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
    ``content_key`` is that of the database.
    """

    def __init__(self, folder: str, template: str, content_key: bytes, links: bool, failed: Callable[[str, str], None]) -> None:
        self.counts = CopyCounts()
        self._template = template
        self._contents = FoundContents(content_key)
        self._links = links
        self._failed = failed
        self._folder = TargetFolder(folder)

    def close(self) -> None:
        """Close the folder."""
        self._folder.close()

    def copy(self, files: Iterable[Found]) -> Iterator[CopyCounts]:
        """Copy the files, those of one archive together; yields the counts after each. Files come in the order of their paths.

        An archive is passed: what it contains are files of their own. Raises TargetFull.
        """
        contents = (file for file in files if file.status != STATUSES[OPENED])
        for on_disk, group in groupby(contents, lambda file: archive_in(file.path) is None):
            if on_disk and self._links:
                for file in group:
                    if is_url(path := path_bytes(file.path)) or is_compressed(path) or _is_gzip(path):
                        self._write(self._contents.read_file(file))
                    else:
                        self._link(file)
                    yield self.counts
                continue
            for content in self._contents.read(group):
                self._write(content)
                yield self.counts

    def _write(self, content: Content) -> None:
        file, data = content
        try:
            if isinstance(data, Exception):
                raise data
            if self._folder.write(target_name(self._template, file), data, file.mtime_ns)[1]:
                self.counts.copied += 1
            else:
                self.counts.there += 1
        except FAULTS as problem:
            self._fail(file, problem)

    def _link(self, file: Found) -> None:
        path = path_bytes(file.path)
        try:
            check_path(file)
            if FileState.from_stat(os.stat(path)) != (file.size_bytes, file.mtime_ns):
                raise SourceError(CHANGED)
            if self._folder.link(target_name(self._template, file), path):
                self.counts.linked += 1
            else:
                self.counts.there += 1
        except FAULTS as problem:
            self._fail(file, problem)

    def _fail(self, file: Found, problem: Exception) -> None:
        self.counts.failed += 1
        self._failed(file.path, reason_of(problem))


def _is_gzip(path: bytes) -> bool:
    """Whether a web client has left the file on the disk compressed: a program that follows a link to it would find no song."""
    with contextlib.suppress(OSError):
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            return os.read(file, len(GZIP)) == GZIP
        finally:
            os.close(file)
    return False
