"""The content of one file that a user names: on disk, in an archive, compressed, or from a pipe.

Paths are taken as they are, or as the database writes them (sources/paths.py): with ``\\xNN``, and ``a.zip!/x.mid`` for a member.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Collection, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, BinaryIO

from midiopt.errors import MidioptError, NotAnArchive, SourceError, TooLarge, over_limit
from midiopt.limits import MAX_FILE_BYTES
from midiopt.schema import MEMBER_SEPARATOR
from midiopt.sources.archives.archive import Archive, FileArchive, Member, MemoryArchive, open_archive
from midiopt.sources.archives.decompress import decompress_file
from midiopt.sources.archives.limits import DEFAULT_LIMITS, MAX_DEPTH
from midiopt.sources.filetypes import is_archive, is_table
from midiopt.sources.paths import JOIN, SEPARATOR_BYTES, archive_in, is_utf8, member_path, path_bytes, path_text
from midiopt.sources.plain_content import check_is_no_archive, plain_content
from midiopt.sources.reader import Reader
from midiopt.sources.sniff import is_song
from midiopt.sources.urls import is_url

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

STANDARD_INPUT = "-"
_ARCHIVE = b"a.zip"  # stands for the path of the archive, which may be too long to be compared
_START = path_text(_ARCHIVE) + MEMBER_SEPARATOR


def read_content(name: str, *, opens_pipes: bool = True) -> Buffer:
    """The content, decompressed. Raises OSError, or a MidioptError that says why there is none.

    A named pipe makes its reader wait: where no user asks for one, it is refused as any other file that is not regular.
    """
    if name == STANDARD_INPUT:
        if sys.stdin is None:
            raise SourceError("standard input is closed")
        return _read_pipe(sys.stdin.buffer)
    try:
        encoded = os.fsencode(name)
    except UnicodeEncodeError:  # half of a surrogate pair, as JSON may have it
        raise SourceError("the name cannot be encoded") from None
    if is_url(encoded):
        archive = archive_in(name)
        return _read_member(path_bytes(archive), name.removeprefix(archive + MEMBER_SEPARATOR), archive) if archive else read_stored(name)
    path = _existing(name)
    if path is None and (archive := archive_in(name)) and (found := _existing(archive)):
        return _read_member(found, name.removeprefix(archive + MEMBER_SEPARATOR), archive)
    if opens_pipes and path is not None and stat.S_ISFIFO(os.stat(path).st_mode):
        with open(path, "rb") as pipe:
            return _read_pipe(pipe)
    return _read_file(encoded if path is None else path, name)


def names_file(name: str) -> bool:
    """Whether there is a file of this name to read, or the archive that it names a member of."""
    archive = archive_in(name)
    if name == STANDARD_INPUT or is_url(os.fsencode(name)):
        return True
    return _existing(name) is not None or (archive is not None and _existing(archive) is not None)


def file_identity(name: str) -> tuple[int, int] | None:
    """(device, inode) of the file on disk of this name, also of the archive that it names a member of; None if there is none."""
    for path in filter(None, (name, archive_in(name))):
        if (found := _existing(path)) is not None and os.path.exists(found):
            info = os.stat(found)
            return info.st_dev, info.st_ino
    return None


def read_stored(text: str) -> Buffer:
    """The content of a file on disk, or an object, whose path the database writes so. Raises as ``read_content``."""
    if is_url(path := path_bytes(text)):
        from midiopt.sources import objects  # which most runs never need

        data = objects.read_object(path, MAX_FILE_BYTES)[0]
        if isinstance(data, Exception):
            raise data
        return plain_content(path, data, MAX_FILE_BYTES)
    return _read_file(path_bytes(text), text)


def _read_file(path: bytes, name: str) -> Buffer:
    if os.path.isdir(path):
        raise SourceError("it is a folder; midiopt analyze reads folders")
    reader = Reader(MAX_FILE_BYTES)
    reader.read(path)
    if is_archive(path) and not is_song(bytes(memoryview(reader)[:12])):
        raise SourceError(f"it is an archive; name a member of it, such as {_first_member(path, name)}")
    return plain_content(path, reader, MAX_FILE_BYTES)


def _existing(name: str) -> bytes | None:
    """The path of the file, as it is or as the database writes it; None if there is neither."""
    path = os.fsencode(name)
    if os.path.lexists(path):
        return path
    if "\\x" not in name or not is_utf8(name):  # what is not UTF-8 is escaped in a database
        return None
    written = path_bytes(name)
    return written if os.path.lexists(written) else None


def _read_pipe(pipe: BinaryIO) -> Buffer:
    data = pipe.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise TooLarge(over_limit(len(data), MAX_FILE_BYTES))
    return decompress_file(data, MAX_FILE_BYTES)


def _read_member(path: bytes, member: str, archive: str) -> Buffer:
    """The content of a member whose name is written as the database writes it; if there is none, as it is, backslashes and all."""
    other = None
    as_it_is = path_text(_ARCHIVE + (SEPARATOR_BYTES + os.fsencode(member)).replace(SEPARATOR_BYTES, JOIN)).removeprefix(_START)
    for text, found in read_members(path, {member, as_it_is}):
        if isinstance(found, Exception):
            raise found
        if text == member:
            return found
        other = found
    if other is not None:
        return other
    raise SourceError(f"there is no member {member} in {archive}")


def read_members(path: bytes, members: Collection[str]) -> Iterator[tuple[str, Buffer | OSError | MidioptError]]:
    """The contents of these members of the archive on disk at this path, or why there is none, as one pass through the archive finds them.

    A member has the name that follows the archive in its path as the database writes it. Raises SourceError where the archive ends early.
    """
    rest = {_START + member for member in members}
    with closing(open_archive(path)) as file:
        columns = sorted({member.partition("/")[0] for member in members}) if is_table(path) else []
        for column in (None, *columns):  # a table that was read by a column that was told has its name before those of the members
            with contextlib.suppress(*((NotAnArchive,) if columns else ())):
                archive = Archive(file, DEFAULT_LIMITS._replace(column=column))
                archive.with_sizes = False
                for text, data in _wanted(archive, _ARCHIVE, rest, 0):
                    rest.discard(text)
                    yield text.removeprefix(_START), data
            if not rest:
                return


def _wanted(archive: Archive, path: bytes, texts: Collection[str], depth: int) -> Iterator[tuple[str, Buffer | OSError | MidioptError]]:
    """Those of the members with these paths that there are, also in archives inside."""
    rest = set(texts)
    for member in archive.members(0, sys.maxsize):
        member_bytes = member_path(path, member.name)
        text = path_text(member_bytes)
        try:
            if text in rest:
                rest.discard(text)
                yield text, _member_content(member)
            elif depth < MAX_DEPTH and is_archive(member.original_name):
                inside = {other for other in rest if other.startswith(text + MEMBER_SEPARATOR)}
                if inside:
                    inner = Archive(MemoryArchive(bytes(member.data())), DEFAULT_LIMITS, archive.budget)
                    for found, data in _wanted(inner, member_bytes, inside, depth + 1):
                        rest.discard(found)
                        yield found, data
        except (OSError, MidioptError) as problem:
            yield text, problem
        if not rest:
            return
    if archive.read_error:
        raise SourceError(f"not all of the archive can be read: {archive.read_error}")


def _member_content(member: Member) -> Buffer:
    data = bytes(member.data())
    check_is_no_archive(member.original_name, data)
    return plain_content(member.original_name, data, MAX_FILE_BYTES, member.archive.budget)


def _first_member(path: bytes, name: str) -> str:
    with closing(FileArchive(path)) as file:
        member = next(Archive(file).members(0, 1), None)
    inside = path_text(member_path(_ARCHIVE, member.name)).removeprefix(_ARCHIVE.decode()) if member else f"{MEMBER_SEPARATOR}x.mid"
    return name + inside
