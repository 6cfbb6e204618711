"""Paths as text: readable, unique, and reversible unless truncated.

Paths are bytes, and a text column must hold any of them. Bytes that are not UTF-8, NUL and the backslash are
written ``\\xNN``, so that ``path_bytes(path_text(p)) == p``. A text longer than 2,000 bytes is truncated to 1,900,
followed by ``…`` and the XXH3-64 of the whole text in hexadecimal: an index row of PostgreSQL holds 2,704 bytes.
"""

from __future__ import annotations

import re

import xxhash

SLASH = ord("/")
MEMBER_SEPARATOR = "!/"  # between the path of an archive and the name of a member
SEPARATOR_BYTES = MEMBER_SEPARATOR.encode()

MAX_TEXT_BYTES = 2000
TRUNCATED_BYTES = 1900


def path_text(path: bytes) -> str:
    """The path as the databases store it."""
    try:
        text = path.decode()
    except UnicodeDecodeError:
        text = _escape(path)
    else:
        if "\\" in text or "\0" in text:
            text = _escape(path)
    if len(text) * 4 > MAX_TEXT_BYTES and len(whole := text.encode()) > MAX_TEXT_BYTES:
        text = whole[:TRUNCATED_BYTES].decode(errors="ignore") + "…" + xxhash.xxh3_64_hexdigest(whole)
    return text


def path_bytes(text: str) -> bytes:
    """The inverse of :func:`path_text`, except for truncated paths."""
    return re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes([int(m[1], 16)]), text.encode())


def is_truncated(text: str) -> bool:
    """Whether :func:`path_text` truncated the path."""
    if len(text) * 4 <= TRUNCATED_BYTES or len(whole := text.encode()) <= TRUNCATED_BYTES:
        return False
    return re.search(rb"\xe2\x80\xa6[0-9a-f]{16}\Z", whole) is not None


def _escape(path: bytes) -> str:
    path = path.replace(b"\\", b"\\x5c").replace(b"\0", b"\\x00")
    return path.decode(errors="backslashreplace")
