"""File types by name, for files in a folder and members of an archive."""

from __future__ import annotations

import re

SUFFIXES = (b".mid", b".midi", b".smf", b".kar", b".rmi")
COMPRESSIONS = (b".gz", b".bz2", b".xz", b".zst")
COMPRESSED = tuple(suffix + compression for suffix in SUFFIXES for compression in COMPRESSIONS)
TABLES = (b".parquet", b".arrow", b".arrows", b".feather")
ARCHIVES = (b".zip", b".tar", b".tgz", b".tbz2", b".txz", *(b".tar" + compression for compression in COMPRESSIONS), *TABLES)
UNREAD_ARCHIVES = (b".rar", b".7z", b".lzh", b".lha", b".arj", b".ace", b".sit", b".sitx", b".cab", b".zipx")
OWN_PART = re.compile(rb"(?:\A|/)part-\d{6,}-[0-9a-f]{8}\.parquet\Z")  # of a database that a run writes, see sinks/parquet_parts.py
WANTED = SUFFIXES + COMPRESSED + ARCHIVES


def is_wanted(name: bytes) -> bool:
    """Whether a file of this name is read: MIDI, compressed MIDI or an archive."""
    if name.endswith(SUFFIXES):  # most names are lower case
        return True
    return name.lower().endswith(WANTED) and not (name.endswith(b".parquet") and OWN_PART.search(name))


def is_archive(name: bytes) -> bool:
    """Whether a file of this name is opened as an archive."""
    return not name.endswith(SUFFIXES) and name.lower().endswith(ARCHIVES)


def is_unread_archive(name: bytes) -> bool:
    """Whether a file of this name is an archive of a format that other programs unpack."""
    return name.lower().endswith(UNREAD_ARCHIVES)


def is_table(name: bytes) -> bool:
    """Whether a file of this name is opened as a table whose rows are files."""
    return name.lower().endswith(TABLES)


def is_compressed(name: bytes) -> bool:
    """Whether the name is that of a single compressed MIDI file."""
    return name.lower().endswith(COMPRESSED)


def without_compression(name: str) -> str:
    """The name of what a file that was compressed alone holds."""
    stem, dot, suffix = name.rpartition(".")
    return stem if (dot + suffix).lower().encode(errors="replace") in COMPRESSIONS else name


def is_appledouble(name: bytes) -> bool:
    """Whether macOS wrote this file beside another one, for its icon and other metadata: it is never music."""
    if b"._" not in name and b"__MACOSX/" not in name:
        return False
    return name[name.rfind(b"/") + 1 :].startswith(b"._") or name.startswith(b"__MACOSX/") or b"/__MACOSX/" in name
