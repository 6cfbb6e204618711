"""The entries of a zip archive, read from its directory a piece at a time.

The directory of a million members is never in memory as a whole, and names stay the bytes that they
are. Layout: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 and 4.4; zip64 included, several disks not.
"""

from __future__ import annotations

import bz2
import calendar
import lzma
import stat
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from midiopt.errors import Damaged, TooLarge
from midiopt.sources.archives.decompress import unzstd

END = struct.Struct("<4s4H2LH")  # of the directory
END64 = struct.Struct("<4sQ2H2L4Q")
LOCATOR64 = struct.Struct("<4sLQL")
ENTRY = struct.Struct("<4s2B5H3L5H2L")
LOCAL = struct.Struct("<4s5H3L2H")
LONGEST_COMMENT = 0xFFFF
WINDOW = 64 << 10  # bytes of the directory read at a time
MOST_OVERHEAD = 1 << 20  # bytes that packed data may have over those it unpacks to
UNIX = 3  # made on
ENCRYPTED = 1  # in the flags
STORED, DEFLATED, BZIP2, LZMA, ZSTD = 0, 8, 12, 14, 93


class Seekable(Protocol):
    """A file or bytes in memory."""

    size: int

    def read(self, size: int, at: int) -> bytes: ...


class Entry(NamedTuple):
    name: bytes
    size: int  # unpacked, as the directory says
    packed: int
    mtime_ns: int
    flags: int
    method: int
    crc: int
    at: int  # of its local header
    is_file: bool


def directory(file: Seekable) -> Iterator[Entry]:
    """The entries in the order of the directory. Raises Damaged where it cannot be read on."""
    at, size, base = _find(file)
    end = at + size
    window, start = b"", at
    while at < end:
        if len(window) - (at - start) < WINDOW:
            window, start = file.read(min(4 * WINDOW, end - at), at), at
        here = at - start
        if len(window) - here < ENTRY.size or window[here : here + 4] != b"PK\1\2":
            raise Damaged("the directory cannot be read on", at)
        _, _, system, _, flags, method, time, date, crc, *lengths, _, _, attributes, offset = ENTRY.unpack_from(window, here)
        packed, unpacked_size, name_length, extra_length, comment_length = lengths
        here += ENTRY.size
        name = window[here : here + name_length]
        extra = window[here + name_length : here + name_length + extra_length]
        if len(name) < name_length or len(extra) < extra_length:
            raise Damaged("the directory cannot be read on", at)
        blocks = dict(_blocks(extra))
        large = blocks.get(1, b"")  # what did not fit, in this order
        sizes = [unpacked_size, packed, offset]
        for i, value in enumerate(sizes):
            if value == 0xFFFFFFFF:
                if len(large) < 8:
                    raise Damaged("an entry without its zip64 size", at)
                sizes[i], large = int.from_bytes(large[:8], "little"), large[8:]
        is_link = system == UNIX and stat.S_ISLNK(attributes >> 16)
        is_file = not name.endswith(b"/") and not is_link
        unpacked_size, packed, offset = sizes
        yield Entry(name, unpacked_size, packed, _mtime_ns(blocks, date, time), flags, method, crc, base + offset, is_file)
        at += ENTRY.size + name_length + extra_length + comment_length


def _find(file: Seekable) -> tuple[int, int, int]:
    """Where the directory starts, its bytes, and what must be added to the offsets in it."""
    start = max(0, file.size - END.size - LONGEST_COMMENT)
    tail = file.read(file.size - start, start)
    found = tail.rfind(b"PK\5\6")
    if found < 0 or len(tail) - found < END.size:
        raise Damaged("the directory at its end is missing")
    size, offset = END.unpack_from(tail, found)[5:7]
    end = start + found
    if found >= LOCATOR64.size and tail[found - LOCATOR64.size :].startswith(b"PK\6\7"):
        at64 = LOCATOR64.unpack_from(tail, found - LOCATOR64.size)[2]
        record = file.read(END64.size, at64)
        if len(record) < END64.size or not record.startswith(b"PK\6\6"):
            raise Damaged("the zip64 directory is missing", at64)
        size, offset = END64.unpack(record)[8:10]
        end = at64
    if size > end:
        raise Damaged("the directory is larger than what is before it", end)
    return end - size, size, end - size - offset  # something may stand before the archive, and count or not


def _blocks(extra: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        yield kind, extra[at + 4 : at + 4 + length]
        at += 4 + length


def _mtime_ns(blocks: dict[int, bytes], date: int, time: int) -> int:
    """Of the extended timestamp if there is one, else of the date and time without a zone, taken for UTC."""
    stamp = blocks.get(0x5455, b"")
    if len(stamp) >= 5 and stamp[0] & 1:
        return struct.unpack_from("<l", stamp, 1)[0] * 1_000_000_000
    moment = (1980 + (date >> 9), max(1, date >> 5 & 15), max(1, date & 31), time >> 11, time >> 5 & 63, (time & 31) * 2)
    return calendar.timegm(moment) * 1_000_000_000 if moment[1] <= 12 else 0


def unpacked(file: Seekable, entry: Entry, limit: int) -> bytes:
    """The bytes of an entry. Raises Damaged for what cannot be had, TooLarge for more than ``limit`` bytes."""
    if entry.flags & ENCRYPTED:
        raise Damaged("it is encrypted")
    if entry.size > limit:
        raise TooLarge(f"{entry.size:,} bytes, over the limit of {limit:,}", 0)
    header = file.read(LOCAL.size, entry.at) if entry.at >= 0 else b""
    if len(header) < LOCAL.size or not header.startswith(b"PK\3\4"):
        raise Damaged("it is not where the directory says", entry.at)
    if entry.packed > entry.size + MOST_OVERHEAD:
        raise Damaged(f"{entry.packed:,} packed bytes for {entry.size:,}", entry.at)
    at = entry.at + LOCAL.size + sum(LOCAL.unpack(header)[-2:])
    packed = file.read(entry.packed, at)
    if len(packed) < entry.packed:
        raise Damaged("it is cut short", at)
    try:
        data = _unpack(packed, entry)
    except (zlib.error, lzma.LZMAError, OSError, ValueError, EOFError) as problem:
        raise Damaged(f"it is damaged ({problem})", at) from None
    if len(data) != entry.size or zlib.crc32(data) != entry.crc:
        raise Damaged("it is damaged (size or checksum differ)", at)
    return data


def _unpack(packed: bytes, entry: Entry) -> bytes:
    """At most a byte more than the entry should have."""
    most = entry.size + 1
    if entry.method == STORED:
        return packed
    if entry.method == DEFLATED:
        return zlib.decompressobj(-15).decompress(packed, most)
    if entry.method == BZIP2:
        return bz2.BZ2Decompressor().decompress(packed, most)
    if entry.method == LZMA:
        return _lzma(packed[:9], entry.size).decompress(packed[9:], most)
    if entry.method == ZSTD:
        return unzstd(packed, most)
    raise Damaged(f"it is packed by method {entry.method}, which is not supported", entry.at)


def _lzma(head: bytes, size: int) -> lzma.LZMADecompressor:
    """By the 9 bytes before the data: version, length of the properties, properties (APPNOTE 5.8)."""
    _, length, packed, dictionary = struct.unpack("<2HBL", head)
    if length != 5:
        raise ValueError("unknown LZMA properties")
    rest, lc = divmod(packed, 9)
    pb, lp = divmod(rest, 5)
    # No larger than what it unpacks to: a header may ask for 4 GiB.
    dictionary = max(4096, min(dictionary, size))
    return lzma.LZMADecompressor(
        lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA1, "lc": lc, "lp": lp, "pb": pb, "dict_size": dictionary}]
    )
