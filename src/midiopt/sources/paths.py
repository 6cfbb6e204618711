"""Paths as text: readable, unique, and reversible unless truncated.

Paths are bytes, and a text column must hold any of them. Bytes that are not UTF-8, NUL and the backslash are
written ``\\xNN``, so that ``path_bytes(path_text(p)) == p``. A text longer than 2,000 bytes is truncated to 1,900,
followed by ``…`` and the XXH3-64 of the whole text in hexadecimal: an index row of PostgreSQL holds 2,704 bytes.

The path of a member is that of its archive, ``!/`` and its name. A folder may be called ``a.zip!``, and a member
``a.zip!/b.mid``: there the ``!`` is written ``\\x21``, so that no two files share a text. As bytes, such a path has NUL before
the ``!/``, which no path of a file contains.
"""

from __future__ import annotations

import re

import xxhash

from midiopt.schema import MEMBER_SEPARATOR
from midiopt.sources.filetypes import ARCHIVES
from midiopt.sources.urls import is_url, public_url

SLASH = ord("/")
SEPARATOR_BYTES = MEMBER_SEPARATOR.encode()
JOIN = b"\0" + SEPARATOR_BYTES  # in place of the separator, in the bytes of the path of a member
_TEXT_JOIN = JOIN.decode()
_JOINS = re.compile(rb"(?<!\0)\0!/")  # a NUL of a name before !/ is doubled; before a join there is none, but a suffix
_ARCHIVE_NAME = re.compile(f"(?:{'|'.join(re.escape(suffix.decode()) for suffix in ARCHIVES)})(?:#[0-9]+)?(?=!/)", re.IGNORECASE)
_ARCHIVE_FOLDER = re.compile(f"({_ARCHIVE_NAME.pattern})!/", re.IGNORECASE)

MAX_TEXT_BYTES = 2000
TRUNCATED_BYTES = 1900


def path_text(path: bytes) -> str:
    """The path as the databases store it; of a URL, without what must not be stored."""
    if path[:1] != b"/" and is_url(path):
        url, join, member = path.partition(JOIN)
        path = public_url(url) + join + member
    try:
        text = path.decode()
    except UnicodeDecodeError:
        text = _unusual_text(path)
    else:
        if MEMBER_SEPARATOR in text:
            plain = text.replace(_TEXT_JOIN, MEMBER_SEPARATOR)
            if len(text) - len(plain) != plain.count(MEMBER_SEPARATOR) or "\\" in plain or "\0" in plain:
                plain = _unusual_text(path)
            text = plain  # nearly always without escapes
        elif "\\" in text or "\0" in text:
            text = _escape(path)
    if len(text) * 4 > MAX_TEXT_BYTES and len(whole := text.encode()) > MAX_TEXT_BYTES:
        text = whole[:TRUNCATED_BYTES].decode(errors="ignore") + "…" + xxhash.xxh3_64_hexdigest(whole)
    return text


def path_bytes(text: str) -> bytes:
    """The inverse of :func:`path_text`, except for truncated paths."""
    return re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes([int(m[1], 16)]), text.encode())


def is_utf8(text: str) -> bool:
    """Whether the text, such as an argument of a command, has no bytes that are not UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_truncated(text: str) -> bool:
    """Whether :func:`path_text` truncated the path."""
    if len(text) * 4 <= TRUNCATED_BYTES or len(whole := text.encode()) <= TRUNCATED_BYTES:
        return False
    return re.search(rb"\xe2\x80\xa6[0-9a-f]{16}\Z", whole) is not None


def member_path(archive: bytes, name: bytes) -> bytes:
    """The path of a member, as :func:`path_text` takes it; ``archive`` may be one of a member, too."""
    if b"\0" in name:
        name = re.sub(rb"(\0+)!/", rb"\0\1!/", name)
    return archive + JOIN + name


def may_be_stored(path: bytes) -> bool:
    """Whether a database may have another file under this path: a member of an archive, or one whose name has an escape."""
    return SEPARATOR_BYTES in path or b"\\x" in path


def archive_in(text: str) -> str | None:
    """The archive on disk whose member has this path; None for a file."""
    found = _ARCHIVE_NAME.search(text)
    return text[: found.end()] if found else None


def _unusual_text(path: bytes) -> str:
    """Of each component, what must be escaped."""
    parts = [re.sub(rb"\0(\0+)!/", rb"\1!/", part) for part in _JOINS.split(path)]
    return MEMBER_SEPARATOR.join(_ARCHIVE_FOLDER.sub(r"\1\\x21/", _escape(part)) for part in parts)


def _escape(path: bytes) -> str:
    path = path.replace(b"\\", b"\\x5c").replace(b"\0", b"\\x00")
    return path.decode(errors="backslashreplace")
