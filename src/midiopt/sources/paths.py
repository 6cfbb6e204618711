"""A path as text: readable, unique, and reversible where it is not too long.

Paths are bytes, and a text column must hold any of them. Bytes that are not UTF-8, NUL and the
backslash are written ``\\xNN``, so that ``path_bytes(path_text(p)) == p``. A text of more than 2,000
bytes (an index row of PostgreSQL holds 2,704) is cut at 1,900 and ends with ``…`` and the XXH3-64 of
the whole text in hexadecimal.
"""

from __future__ import annotations

import re

import xxhash

LONGEST = 2000
CUT = 1900


def path_text(path: bytes) -> str:
    try:
        text = path.decode()
    except UnicodeDecodeError:
        text = _escape(path)
    else:
        if "\\" in text or "\0" in text:
            text = _escape(path)
    if len(text) * 4 > LONGEST and len(whole := text.encode()) > LONGEST:
        text = whole[:CUT].decode(errors="ignore") + "…" + xxhash.xxh3_64_hexdigest(whole)
    return text


def path_bytes(text: str) -> bytes:
    """Turn :func:`path_text` back; only a path that was cut cannot be."""
    return re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes([int(m[1], 16)]), text.encode())


def is_cut(text: str) -> bool:
    """Whether :func:`path_text` cut a path to this text."""
    return len(text) * 4 > CUT and len(whole := text.encode()) > CUT and re.search(rb"\xe2\x80\xa6[0-9a-f]{16}\Z", whole) is not None


def _escape(path: bytes) -> str:
    path = path.replace(b"\\", b"\\x5c").replace(b"\0", b"\\x00")
    return path.decode(errors="backslashreplace")
