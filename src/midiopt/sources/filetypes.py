"""Which names count, of files in a folder and of members in an archive."""

from __future__ import annotations

SUFFIXES = (b".mid", b".midi", b".smf", b".kar", b".rmi")
COMPRESSED = tuple(suffix + b".gz" for suffix in SUFFIXES)
ARCHIVES = (b".zip", b".tar", b".tar.gz", b".tgz", b".tar.xz", b".tar.zst")
WANTED = SUFFIXES + COMPRESSED + ARCHIVES


def is_wanted(name: bytes) -> bool:
    return name.endswith(SUFFIXES) or name.lower().endswith(WANTED)  # most names are as they should be


def is_archive(name: bytes) -> bool:
    return not name.endswith(SUFFIXES) and name.lower().endswith(ARCHIVES)


def is_compressed(name: bytes) -> bool:
    """A MIDI file compressed alone."""
    return name.lower().endswith(COMPRESSED)


def is_appledouble(name: bytes) -> bool:
    """What macOS keeps beside a file, for its icon and the like: never music, whatever its suffix."""
    if b"._" not in name and b"__MACOSX/" not in name:
        return False
    return name[name.rfind(b"/") + 1 :].startswith(b"._") or name.startswith(b"__MACOSX/") or b"/__MACOSX/" in name
