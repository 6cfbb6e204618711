"""File types by name, for files in a folder and members of an archive."""

from __future__ import annotations

SUFFIXES = (b".mid", b".midi", b".smf", b".kar", b".rmi")
COMPRESSED = tuple(suffix + b".gz" for suffix in SUFFIXES)
ARCHIVES = (b".zip", b".tar", b".tar.gz", b".tgz", b".tar.xz", b".tar.zst")
WANTED = SUFFIXES + COMPRESSED + ARCHIVES


def is_wanted(name: bytes) -> bool:
    """Whether a file of this name is read: MIDI, compressed MIDI or an archive."""
    return name.endswith(SUFFIXES) or name.lower().endswith(WANTED)  # most names are lower case


def is_archive(name: bytes) -> bool:
    """Whether a file of this name is opened as an archive."""
    return not name.endswith(SUFFIXES) and name.lower().endswith(ARCHIVES)


def is_compressed(name: bytes) -> bool:
    """Whether the name is that of a single compressed MIDI file."""
    return name.lower().endswith(COMPRESSED)


def is_appledouble(name: bytes) -> bool:
    """Whether macOS wrote this file beside another one, for its icon and other metadata: it is never music."""
    if b"._" not in name and b"__MACOSX/" not in name:
        return False
    return name[name.rfind(b"/") + 1 :].startswith(b"._") or name.startswith(b"__MACOSX/") or b"/__MACOSX/" in name
