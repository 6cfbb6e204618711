"""The contents of files that a search has found, as they were when they were analysed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from midiopt.errors import Damaged, MissingExtra, NotAnArchive, SourceError
from midiopt.library.search import Found
from midiopt.rows.builder import content_hasher
from midiopt.schema import MEMBER_SEPARATOR
from midiopt.sources.content import read_members, read_stored
from midiopt.sources.paths import archive_in, is_truncated, path_bytes

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

CHANGED = "it has changed since it was analysed; midiopt analyze brings the database up to date"
MAX_MEMBERS = 10_000  # of an archive that are looked for in one pass: 20 MB; a compressed stream is decompressed anew for each pass
FAULTS = (OSError, ValueError, Damaged, MissingExtra, NotAnArchive, SourceError)  # of one file: the next one may be read

Content = tuple[Found, "Buffer | Exception"]


class FoundContents:
    """Reads them. ``content_key`` is that of the database, whose hashes tell whether a file has changed."""

    def __init__(self, content_key: bytes) -> None:
        self._hash: Callable[[Buffer], bytes] = content_hasher(content_key)

    def read(self, files: Iterable[Found]) -> Iterator[Content]:
        """Each file with its content, or with the reason why there is none. Those of one archive, which follow each other, are read
        together."""
        for archive, group in groupby(files, lambda file: archive_in(file.path)):
            if archive is None:
                for file in group:
                    yield self.read_file(file)
                continue
            members = iter(group)
            while part := [file for _, file in zip(range(MAX_MEMBERS), members, strict=False)]:
                yield from self._read_members(archive, part)

    def read_file(self, file: Found) -> Content:
        """A file that is no member of an archive."""
        try:
            check_path(file)
            return self._checked(file, read_stored(file.path))
        except FAULTS as problem:
            return file, problem

    def _read_members(self, archive: str, files: list[Found]) -> Iterator[Content]:
        rest = {file.path.removeprefix(archive + MEMBER_SEPARATOR): file for file in files}
        reason: Exception = SourceError("it is no longer in the archive")
        try:
            for member, data in read_members(path_bytes(archive), list(rest)):
                if member not in rest:  # an archive inside, which cannot be read
                    for other in [other for other in rest if other.startswith(member + MEMBER_SEPARATOR)]:
                        yield rest.pop(other), data
                    continue
                file = rest.pop(member)
                try:
                    check_path(file)
                    found = (file, data) if isinstance(data, Exception) else self._checked(file, data)
                except FAULTS as problem:
                    found = file, problem
                yield found
        except FAULTS as problem:
            reason = problem
        for file in rest.values():
            yield file, reason

    def _checked(self, file: Found, data: Buffer) -> Content:
        if file.content_hash is not None and self._hash(data) != file.content_hash:
            raise SourceError(CHANGED)
        return file, data


def check_path(file: Found) -> None:
    """Raise SourceError for a path that the database has cut."""
    if is_truncated(file.path):
        raise SourceError("its path is too long to be stored whole")


def reason_of(problem: Exception) -> str:
    """Why there is no content, in words."""
    return (problem.strerror or str(problem)) if isinstance(problem, OSError) else str(problem)
