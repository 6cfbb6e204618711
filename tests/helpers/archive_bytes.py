"""Archives byte by byte, where Python's own modules refuse: any name, any number."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence

from tests.helpers.archives import TIME


def raw_zip(entries: Sequence[tuple[bytes, bytes]]) -> bytes:
    """A zip of stored members whose names may have any bytes; several may have one name."""
    body, directory = bytearray(), bytearray()
    for name, data in entries:
        directory += zip_entry(name, len(data), len(data), zlib.crc32(data), len(body))
        body += zip_local(name, data) + data
    return bytes(body + directory + zip_end(len(entries), len(directory), len(body)))


def zip_local(name: bytes, data: bytes = b"") -> bytes:
    """A local header. Its checksum and sizes, of stored data, are read only where the directory is missing."""
    return struct.pack("<4s5H3L2H", b"PK\3\4", *[0] * 5, zlib.crc32(data), len(data), len(data), len(name), 0) + name


def zip_entry(
    name: bytes, compressed_size: int, size: int, crc: int, offset: int, method: int = 0, extra: bytes = b"", flags: int = 0
) -> bytes:
    """An entry of the central directory, of 2009-02-14."""
    sizes = crc, compressed_size, size, len(name), len(extra), 0
    return struct.pack("<4s6H3L5H2L", b"PK\1\2", 0, 0, flags, method, 0, 0x3A4E, *sizes, 0, 0, 0, offset) + name + extra


def zip_end(count: int, size: int, offset: int, comment: bytes = b"") -> bytes:
    """The end of the central directory, whose size and offset these are."""
    return struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count & 0xFFFF, count & 0xFFFF, size, offset, len(comment)) + comment


def raw_tar(entries: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A pax archive whose names may have any bytes."""
    parts = [pax_header(pax_record(b"path", name)) + tar_header(b"x.mid", len(data)) + padded(data) for name, data in entries]
    return b"".join(parts) + bytes(1024)


def pax_record(key: bytes, value: bytes) -> bytes:
    """``length key=value``, whose length counts its own digits."""
    rest = len(key) + len(value) + 3
    length = next(n for n in range(rest, rest + 9) if n == rest + len(str(n)))
    return b"%d %b=%b\n" % (length, key, value)


def pax_header(records: bytes) -> bytes:
    """The extended header of the next entry."""
    return tar_header(b"pax", len(records), b"x") + padded(records)


def tar_header(name: bytes, size: int, kind: bytes = b"0", link: bytes = b"") -> bytes:
    """A ustar header with a right checksum."""
    head = name.ljust(100, b"\0") + b"0000644\0" * 3 + b"%011o\0%011o\0" % (size, TIME) + b" " * 8 + kind + link
    head = head.ljust(257, b"\0") + b"ustar\x0000"
    return with_checksum(head.ljust(512, b"\0"))


def with_checksum(head: bytes) -> bytes:
    """A tar header with the sum of its bytes, its own field counted as blanks."""
    head = head[:148] + b" " * 8 + head[156:]
    return head[:148] + b"%06o\0 " % sum(head) + head[156:]


def tar_file(name: bytes, data: bytes) -> bytes:
    """A whole entry."""
    return tar_header(name, len(data)) + padded(data)


def padded(data: bytes) -> bytes:
    """The data and zeros up to a whole block."""
    return data + bytes(-len(data) % 512)
