"""The central directory of a zip archive: where it is, and its entries, read in pieces.

Format: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 and 4.4, with zip64 and without archives on several disks.
"""

from __future__ import annotations

import calendar
import stat
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from midiopt.errors import Damaged
from midiopt.sources.archives.integers import from_little_endian
from midiopt.sources.archives.limits import OVERLAP_ERROR
from midiopt.sources.sniff import ZIP, ZIP_EMPTY

# The records of the format. LOCAL_MAGIC begins a file with members, and END_MAGIC an empty one.
LOCAL_MAGIC, CENTRAL_MAGIC, END_MAGIC, END64_MAGIC, LOCATOR64_MAGIC = ZIP, b"PK\1\2", ZIP_EMPTY, b"PK\6\6", b"PK\6\7"
SIGNATURE_MAGIC = b"PK\5\5"  # of a digital signature behind the entries
LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s2B5H3L5H2L")
END = struct.Struct("<4s4H2LH")
END64 = struct.Struct("<4s36x8s8s")  # size and offset of the directory
END64_BYTES = 56  # of the whole record
LOCATOR64 = struct.Struct("<4s4x8s4x")  # offset of the record

MAX_COMMENT_BYTES = 0xFFFF
MAX_TRAILING_BYTES = 64 << 10  # behind the archive, which are no part of it
MAX_END_RECORDS = 256  # that are looked at: their magic number may stand in the comment
WINDOW_BYTES = 64 << 10  # no entry of the directory is longer; four windows are read at a time
IN_ZIP64 = 0xFFFFFFFF  # for a number that stands in the extra field instead
ZIP64_FIELD, TIMESTAMP_FIELD, UNICODE_PATH_FIELD = 1, 0x5455, 0x7075
UNIX, MACOS = 3, 19  # the system that made the entry


class RandomAccess(Protocol):
    """A file, or bytes in memory."""

    size: int

    def read(self, size: int, offset: int) -> bytes:
        """At most ``size`` bytes from ``offset``; fewer where the file ends, none outside it."""


class NoDirectory(Damaged):
    """The file ends without a directory, as a download that was cut does."""


class Entry(NamedTuple):
    """An entry of the central directory."""

    name: bytes
    size: int  # bytes, decompressed
    compressed_size: int
    mtime_ns: int
    flags: int
    method: int
    crc: int
    offset: int  # of its local header
    is_file: bool  # not a folder or symbolic link


class Directory(NamedTuple):
    """Where the entries are."""

    offset: int
    size: int
    base: int  # what must be added to the offsets in it: data that precedes the archive, and is not counted in them


def iter_central_directory(file: RandomAccess, max_file_bytes: int) -> Iterator[Entry]:
    """The entries in the order of the directory. Raises Damaged where one cannot be read, or where two share bytes.

    Entries of more than ``max_file_bytes``, which nobody reads, may share them.
    """
    directory = _find_directory(file)
    end, is_checked = 0, False
    for entry in _entries(file, directory):
        if not is_checked and _is_readable(entry, file.size, max_file_bytes):
            if entry.offset < end:
                _check_ranges(file, directory, max_file_bytes)
                is_checked = True
            end = _end_of(entry)
        yield entry


def is_zip(file: RandomAccess) -> bool:
    """Whether there is a zip archive, behind data of any kind: a program that extracts it, or the mark of a splitting program."""
    tail, start = _tail(file)
    return any(_directory_at(file, tail, start, found) for found in _end_records(tail))


def _entries(file: RandomAccess, directory: Directory) -> Iterator[Entry]:
    offset, size, base = directory
    end = offset + size
    window, window_start = b"", offset
    while offset < end:
        if len(window) - (offset - window_start) < WINDOW_BYTES:
            window, window_start = file.read(min(4 * WINDOW_BYTES, end - offset), offset), offset
        if window.startswith(SIGNATURE_MAGIC, offset - window_start):
            break
        entry, length = _parse_entry(window, offset - window_start, offset, base)
        yield entry
        offset += length


def _check_ranges(file: RandomAccess, directory: Directory, max_file_bytes: int) -> None:
    """Raise Damaged if two entries share bytes, which would make any number of members from the same data.

    Nearly all directories are in the order of the data, where the end of the last entry is enough. For the others the whole
    directory is read once more and sorted: 48 bytes per entry, for as long as that takes.
    """
    ranges = [entry.offset << 64 | _end_of(entry) for entry in _entries(file, directory) if _is_readable(entry, file.size, max_file_bytes)]
    end = 0
    for packed in sorted(ranges):
        if packed >> 64 < end:
            raise Damaged(OVERLAP_ERROR, packed >> 64)
        end = packed & (1 << 64) - 1


def _is_readable(entry: Entry, file_size: int, max_file_bytes: int) -> bool:
    """Whether anybody reads the entry: it is a file, in the archive, and not too large. The bytes of others may be shared."""
    return entry.is_file and 0 <= entry.offset < file_size >= entry.compressed_size and entry.size <= max_file_bytes


def _end_of(entry: Entry) -> int:
    """Where its data end, at least: the extra field in its local header is not known here."""
    return entry.offset + LOCAL.size + len(entry.name) + entry.compressed_size


def _parse_entry(window: bytes, at: int, offset: int, base: int) -> tuple[Entry, int]:
    """The entry at ``at`` in the window, which is at ``offset`` in the file, and its length."""
    if len(window) - at < CENTRAL.size or not window.startswith(CENTRAL_MAGIC, at):
        raise Damaged("damaged central directory", offset)
    _, _, system, _, flags, method, time, date, crc, *numbers, _, _, attributes, header = CENTRAL.unpack_from(window, at)
    compressed_size, size, name_length, extra_length, comment_length = numbers
    at += CENTRAL.size
    name = window[at : at + name_length]
    extra = window[at + name_length : at + name_length + extra_length]
    if len(name) < name_length or len(extra) < extra_length:
        raise Damaged("damaged central directory", offset)
    fields = dict(extra_fields(extra))
    if IN_ZIP64 in (size, compressed_size, header):
        size, compressed_size, header = from_zip64(fields.get(ZIP64_FIELD, b""), [size, compressed_size, header], offset)
    if UNICODE_PATH_FIELD in fields:
        name = unicode_path(fields[UNICODE_PATH_FIELD], name)
    is_file = not name.endswith(b"/") and not (system in (UNIX, MACOS) and stat.S_ISLNK(attributes >> 16))
    modified = mtime_ns(fields.get(TIMESTAMP_FIELD, b""), date, time)
    entry = Entry(name, size, compressed_size, modified, flags, method, crc, base + header, is_file)
    return entry, CENTRAL.size + name_length + extra_length + comment_length


def _tail(file: RandomAccess) -> tuple[bytes, int]:
    """The part of the file that holds the end of the directory, and where it starts."""
    start = max(0, file.size - END.size - MAX_COMMENT_BYTES - MAX_TRAILING_BYTES)
    return file.read(file.size - start, start), start


def _end_records(tail: bytes) -> list[int]:
    """Where the end records of the tail begin, in order."""
    found: list[int] = []
    at = tail.rfind(END_MAGIC, 0, max(0, len(tail) - END.size + len(END_MAGIC)))
    while at >= 0 and len(found) < MAX_END_RECORDS:
        found.append(at)
        at = tail.rfind(END_MAGIC, 0, at)
    return found[::-1]


def _comment_end(tail: bytes, found: int) -> int:
    return found + END.size + int(END.unpack_from(tail, found)[-1])


def _find_directory(file: RandomAccess) -> Directory:
    """By the end record whose comment leads to the end of the file and that is not in another one's comment. If there is none,
    data follows the archive, and its end record is the last one. Raises Damaged."""
    start = max(0, file.size - LOCATOR64.size - END.size)
    tail = file.read(file.size - start, start)  # all that most archives need: they have no comment
    if directory := _directory_at(file, tail, start, len(tail) - END.size):
        return directory
    tail, start = _tail(file)
    records = _end_records(tail)
    if not records:
        raise NoDirectory("central directory missing at the end of the file")
    comment_end = 0
    for found in records:
        if found >= comment_end and (candidate := _directory_at(file, tail, start, found)):
            directory, comment_end = candidate, _comment_end(tail, found)
            if comment_end == len(tail):
                break
    return directory or _directory_of(file, tail, start, records[-1], is_size_doubted=True)


def _directory_at(file: RandomAccess, tail: bytes, start: int, found: int) -> Directory | None:
    """The directory of the end record at ``found`` in the tail, if it is one that has its directory before it."""
    if found < 0 or not tail.startswith(END_MAGIC, found) or _comment_end(tail, found) > len(tail):
        return None
    try:
        directory = _directory_of(file, tail, start, found)
    except Damaged:
        return None
    has_entries = directory.size > 0 and file.read(len(CENTRAL_MAGIC), directory.offset) == CENTRAL_MAGIC
    return directory if has_entries else None


def _directory_of(file: RandomAccess, tail: bytes, start: int, found: int, is_size_doubted: bool = False) -> Directory:
    """The directory of the end record at ``found`` in the tail: as far before it as its size says, or where its offset says that it is
    if the size is doubted. Raises Damaged."""
    size, declared = END.unpack_from(tail, found)[5:7]
    end = start + found
    if found >= LOCATOR64.size and tail.startswith(LOCATOR64_MAGIC, found - LOCATOR64.size):
        end, size, declared = _zip64_end(file, LOCATOR64.unpack_from(tail, found - LOCATOR64.size)[1], end - LOCATOR64.size)
    if is_size_doubted and declared < end and file.read(len(CENTRAL_MAGIC), declared) == CENTRAL_MAGIC:
        size = end - declared  # that of the record is wrong, or does not count what stands behind the entries
    if size > end:
        raise Damaged("central directory larger than the data before its end", end)
    offset = end - size
    return Directory(offset, size, _base(file, offset, declared))


def _zip64_end(file: RandomAccess, locator: bytes, locator_offset: int) -> tuple[int, int, int]:
    """The offset of the zip64 record, and what it says about the directory: size and offset."""
    declared = from_little_endian(locator)
    for offset in (declared, locator_offset - END64_BYTES):  # the second where data precedes the archive and is not counted
        record = file.read(END64.size, offset) if offset >= 0 else b""
        if len(record) == END64.size and record.startswith(END64_MAGIC):
            size, directory_offset = map(from_little_endian, END64.unpack(record)[1:])
            return offset, size, directory_offset
    raise Damaged("zip64 record missing", declared)


def _base(file: RandomAccess, offset: int, declared: int) -> int:
    """What to add to the offsets of a directory that is at ``offset`` and says that it is at ``declared``.

    Data before the archive may be counted in the offsets of the entries, in that of the directory, in both, or in none.
    The local header of the first entry shows it.
    """
    first = file.read(CENTRAL.size, offset)
    if len(first) < CENTRAL.size or not first.startswith(CENTRAL_MAGIC):
        return offset - declared
    header = CENTRAL.unpack(first)[-1]
    for base in (offset - declared, 0):
        if base + header >= 0 and file.read(len(LOCAL_MAGIC), base + header) == LOCAL_MAGIC:
            return base
    start = file.read(WINDOW_BYTES, 0).find(LOCAL_MAGIC)
    return start - header if start >= 0 and header < WINDOW_BYTES else offset - declared


def extra_fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """(kind, data) of each extra field."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        yield kind, extra[at + 4 : at + 4 + length]
        at += 4 + length


def from_zip64(field: bytes, numbers: list[int], offset: int) -> list[int]:
    """The field holds the numbers that did not fit into the entry, in the same order."""
    for i, number in enumerate(numbers):
        if number == IN_ZIP64:
            if len(field) < 8:
                raise Damaged("zip64 size missing", offset)
            numbers[i], field = from_little_endian(field[:8]), field[8:]
    return numbers


def unicode_path(field: bytes, name: bytes) -> bytes:
    """The name in Info-ZIP's field: version 1, the checksum of the name that it replaces, and UTF-8."""
    is_of_name = len(field) > 5 and field[0] == 1 and int.from_bytes(field[1:5], "little") == zlib.crc32(name)
    return field[5:] if is_of_name else name


def mtime_ns(timestamp: bytes, date: int, time: int) -> int:
    """From the extended timestamp if there is one, otherwise from the date and time, which have no time zone: read as UTC."""
    if len(timestamp) >= 5 and timestamp[0] & 1:
        return int.from_bytes(timestamp[1:5], "little", signed=True) * 1_000_000_000
    year, month, day = 1980 + (date >> 9), max(1, date >> 5 & 15), max(1, date & 31)
    seconds = calendar.timegm((year, month, day, time >> 11, time >> 5 & 63, (time & 31) * 2)) if month <= 12 else 0
    return seconds * 1_000_000_000
