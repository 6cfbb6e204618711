"""The entries of a zip archive whose directory is missing, as of a download that was cut: by their local headers, one after another.

Format: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.7 and 4.3.9.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from midiopt.sources.archives.zip_directory import (
    IN_ZIP64,
    LOCAL,
    LOCAL_MAGIC,
    TIMESTAMP_FIELD,
    UNICODE_PATH_FIELD,
    WINDOW_BYTES,
    ZIP64_FIELD,
    Entry,
    RandomAccess,
    extra_fields,
    from_zip64,
    mtime_ns,
    unicode_path,
)

DESCRIPTOR_MAGIC = b"PK\7\x08"  # before a checksum and sizes that follow the data
DESCRIPTORS = (struct.Struct("<4sLLL"), struct.Struct("<4sLQQ"))  # of zip and zip64
ANY_MAGIC = b"PK"  # of what follows a descriptor
SIZES_FOLLOW = 8  # in the flags


def iter_local_headers(file: RandomAccess) -> Iterator[Entry]:
    """The entries from the start of the file up to what is none; of the last one, the data may be cut. Raises Damaged."""
    offset = 0
    while found := _entry_at(file, offset):
        entry, offset = found
        yield entry


def _entry_at(file: RandomAccess, offset: int) -> tuple[Entry, int] | None:
    """The entry whose local header is at ``offset``, and where it ends."""
    header = file.read(LOCAL.size, offset)
    if len(header) < LOCAL.size or not header.startswith(LOCAL_MAGIC):
        return None
    _, _, flags, method, time, date, crc, compressed_size, size, name_length, extra_length = LOCAL.unpack(header)
    start = offset + LOCAL.size + name_length + extra_length
    names = file.read(name_length + extra_length, offset + LOCAL.size)
    name, fields = names[:name_length], dict(extra_fields(names[name_length:]))
    if IN_ZIP64 in (size, compressed_size):
        size, compressed_size = from_zip64(fields.get(ZIP64_FIELD, b""), [size, compressed_size], offset)
    if UNICODE_PATH_FIELD in fields:
        name = unicode_path(fields[UNICODE_PATH_FIELD], name)
    end = start + compressed_size
    if flags & SIZES_FOLLOW:
        crc, compressed_size, size, end = _sizes_behind(file, start, crc, compressed_size, size)
    modified = mtime_ns(fields.get(TIMESTAMP_FIELD, b""), date, time)
    return Entry(name, size, compressed_size, modified, flags, method, crc, offset, not name.endswith(b"/")), end


def _sizes_behind(file: RandomAccess, start: int, crc: int, compressed_size: int, size: int) -> tuple[int, int, int, int]:
    """Checksum, sizes and the end of the entry whose data begin at ``start``, from the first descriptor that says where it is itself.

    If there is none, the data lead beyond the end of the file.
    """
    at = start
    while window := file.read(WINDOW_BYTES, at):
        found = window.find(DESCRIPTOR_MAGIC)
        while found >= 0:
            record = file.read(DESCRIPTORS[-1].size, at + found)
            for descriptor in DESCRIPTORS:
                if len(record) >= descriptor.size:
                    _, crc, compressed_size, size = descriptor.unpack_from(record)
                    end = at + found + descriptor.size
                    if start + compressed_size == at + found and file.read(len(ANY_MAGIC), end) in (ANY_MAGIC, b""):
                        return crc, compressed_size, size, end
            found = window.find(DESCRIPTOR_MAGIC, found + 1)
        if len(window) < WINDOW_BYTES:
            break
        at += len(window) - len(DESCRIPTOR_MAGIC) + 1
    missing = file.size - start + 1
    return crc, missing, missing, file.size
