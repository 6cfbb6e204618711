"""What a worker makes rows of: the content of a file or archive member, or the reason why there is none."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from midiopt.errors import Damaged, MissingExtra, NotAnArchive, SourceError, TooLarge
from midiopt.pipeline.heartbeat import Heartbeat
from midiopt.rows.builder import crashed_outcome
from midiopt.schema import OK, REJECTED, UNREADABLE
from midiopt.sources.paths import archive_in, may_be_stored
from midiopt.sources.plain_content import LAST_OF_COMPRESSED, check_is_no_archive, plain_content
from midiopt.sources.reader import Reader, begins_with
from midiopt.sources.sniff import GZIP
from midiopt.sources.urls import is_url, public_url

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

    from midiopt.sources.objects import ObjectReader

READ_ERRORS = (OSError, Damaged, MissingExtra, NotAnArchive, SourceError, TooLarge, MemoryError)

MEMBER = "there is no such file; a member of an archive is analysed with its archive"


# One row to be made: path, size in bytes, mtime in ns, then the content, valid until the next item is taken, or None with a
# status and an error. It is no NamedTuple because that costs 1 us of the 100 that a file takes.
Item: TypeAlias = "tuple[bytes, int, int, Buffer | None, int, str | None]"


FileItems: TypeAlias = Callable[[Iterable[bytes]], Iterator[Item]]


def failed_item(path: bytes, size: int, mtime_ns: int, problem: Exception) -> Item:
    """The item of something that could not be read: `crashed` if ``problem`` is none of READ_ERRORS."""
    if not isinstance(problem, READ_ERRORS):
        outcome = crashed_outcome(problem)
        return path, size, mtime_ns, None, outcome.status, outcome.error
    status = REJECTED if isinstance(problem, (TooLarge, NotAnArchive)) else UNREADABLE
    match problem:
        case OSError():
            error = problem.strerror
        case TooLarge():
            error = problem.reason
        case MemoryError():
            error = "not enough memory to read the data"
        case _:
            error = str(problem)
    return path, size, mtime_ns, None, status, error


def file_items(paths: Iterable[bytes], reader: Reader, max_bytes: int, heartbeat: Heartbeat) -> Iterator[Item]:
    """Read files; compressed ones are decompressed."""
    for path in paths:
        heartbeat.start_item()
        data: Buffer = reader
        try:
            reader.read(path)
            if path[-1] in LAST_OF_COMPRESSED or begins_with(reader, GZIP):  # 0.07 us, for a call of 0.25
                data = plain_content(path, reader, max_bytes)
        except Exception as problem:
            if isinstance(problem, FileNotFoundError | NotADirectoryError) and archive_in(os.fsdecode(path)):
                problem = SourceError(MEMBER)  # the line of a list
            yield failed_item(path, reader.size_bytes, reader.mtime_ns, problem)
        else:
            yield path, reader.size_bytes, reader.mtime_ns, data, OK, None


def path_items(paths: Iterable[bytes], reader: Reader, max_bytes: int, heartbeat: Heartbeat) -> Iterator[Item]:
    """Read files that a caller names, who may have the paths from a database: of members of archives, and with escapes."""
    for path in paths:
        (item,) = file_items([path], reader, max_bytes, heartbeat)  # always: the reader may have been told to expect it
        if item[3] is None and may_be_stored(path) and not os.path.lexists(path):
            item = _stored_item(path)
        elif item[3] is not None:
            try:
                check_is_no_archive(path, item[3])
            except SourceError as problem:
                item = failed_item(path, *item[1:3], problem)
        yield item


def _stored_item(path: bytes) -> Item:
    from midiopt.sources.content import read_content  # which most workers never need

    try:
        data = read_content(os.path.join(os.curdir, os.fsdecode(path)), opens_pipes=False)
    except Exception as problem:
        return failed_item(path, 0, 0, problem)
    return path, memoryview(data).nbytes, 0, data, OK, None


def object_items(paths: Iterable[bytes], objects: ObjectReader, others: FileItems, max_bytes: int, heartbeat: Heartbeat) -> Iterator[Item]:
    """Read objects; ``others`` reads the paths among them that are no URLs."""
    for path in paths:
        if not is_url(path):
            yield from others([path])
            continue
        heartbeat.start_item()
        data, (size, mtime_ns) = objects.read(path, heartbeat.refresh)
        try:
            if isinstance(data, Exception):
                raise data
            data = plain_content(public_url(path), data, max_bytes)
        except Exception as problem:
            yield failed_item(path, size, mtime_ns, problem)
        else:
            yield path, size, mtime_ns, data, OK, None


def content_items(contents: Iterable[bytes], max_bytes: int, heartbeat: Heartbeat) -> Iterator[Item]:
    """Contents that came with the task; they have no path."""
    for content in contents:
        heartbeat.start_item()
        yield content_item(b"", content, max_bytes)


def content_item(name: bytes, content: bytes, max_bytes: int) -> Item:
    """Content that was read elsewhere, from a file of this name."""
    try:
        return name, len(content), 0, plain_content(name, content, max_bytes), OK, None
    except Exception as problem:
        return failed_item(name, len(content), 0, problem)


def not_regular_items(paths: Iterable[bytes], heartbeat: Heartbeat) -> Iterator[Item]:
    """FIFOs and devices, which are not opened."""
    for path in paths:
        heartbeat.start_item()
        yield path, 0, 0, None, UNREADABLE, "not a regular file"
