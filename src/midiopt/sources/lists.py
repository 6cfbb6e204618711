"""Lists of paths and URLs: ``@FILE``, and ``-`` or ``@-`` for standard input.

One path per line, which may stand in quotes, or each ended by NUL, as ``find -print0`` writes them: the last byte of the list says which. A
playlist (M3U, which begins with #EXTM3U) has comments, and its relative paths start at its own folder. Lines end with LF, CRLF, or CR alone
where there is no LF. With a byte-order mark a list is UTF-8, UTF-16 (PowerShell's ``>``) or UTF-32; without one, its bytes are the paths.
What is none of these is refused as a whole, before anything of it is analysed.
"""

from __future__ import annotations

import codecs
import os
import stat
import sys
from collections.abc import Callable, Iterator
from itertools import chain
from typing import IO

from midiopt.errors import SourceError
from midiopt.sources.sniff import GZIP, SNIFF_BYTES, XZ, ZIP, ZSTD, detect_type, is_song
from midiopt.sources.urls import is_url

STANDARD_INPUT = b"-"
PLAYLIST = b"#EXTM3U"
MAX_PATH_BYTES = 1 << 20  # the system allows 4 KiB; up to here a path that is too long gets its row
CHUNK_BYTES = 1 << 20
HEAD_BYTES = 1 << 16  # of a list, in which an LF is looked for, and bytes that no text has
CONTROL_BYTES = bytes({*range(1, 32), 127} - {*b"\t\n\r"})
MIN_CONTROL_BYTES = 16  # that are no names, if they are a twentieth of the list
MARKS = (  # UTF-32 first: its mark begins like that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF8, "utf-8"),
)

_standard_input: IO[bytes] | None = None  # a copy: a pipe can be read only once, and a list is checked before it is read


def check_list(path: bytes) -> None:
    """Raise SourceError for what is no list as a whole, or has no end: a FIFO or device. Standard input is read to its end."""
    name = "from standard input" if path == STANDARD_INPUT else repr(os.fsdecode(path))
    try:
        if path == STANDARD_INPUT:
            _copy_standard_input()
        fd = _open(path)
    except (OSError, ValueError) as problem:
        raise SourceError(f"the list {name} cannot be read: {problem}") from None
    with open(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise SourceError(f"the list {name} is not a regular file: write the paths into one, and name it after the @")
        try:
            fault = _fault(file)
        except OSError as problem:
            raise SourceError(f"the list {name} cannot be read: {problem}") from None
    if fault:
        raise SourceError(f"the list {name} {fault}; nothing of it is read")


def listed_paths(path: bytes, add_problem: Callable[[str], None]) -> Iterator[bytes]:
    """The absolute paths in a list that was checked. What cannot be a path is a problem: the list may have changed since."""
    with open(_open(path), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            add_problem("not a regular file")
            return
        separator, chunks = _content(file, errors="replace")
        folder: bytes | None = None  # of a playlist
        for number, piece in enumerate(_split(chunks, separator, add_problem)):
            name = piece if separator == b"\0" else piece.rstrip(b"\r")
            if number == 0 and name.startswith(PLAYLIST):
                folder = b"" if path == STANDARD_INPUT else os.path.dirname(path)
            if folder is not None and name.startswith(b"#"):
                continue
            if b"\0" in name:
                add_problem(f"not a path: {os.fsdecode(name[:100])!r}")
            elif name:
                name = name if separator == b"\0" else _without_quotes(name)
                yield name if is_url(name) else os.path.abspath(os.path.join(folder, name) if folder else name)


def _copy_standard_input() -> None:
    global _standard_input
    from tempfile import TemporaryFile  # which other runs do not need

    if sys.stdin is None:  # it was closed, and another file may have its number
        raise OSError("it is closed")
    _standard_input = TemporaryFile()  # noqa: SIM115 (listed_paths() reads it)
    while data := os.read(0, CHUNK_BYTES):
        _standard_input.write(data)
    _standard_input.flush()


def _fault(file: IO[bytes]) -> str | None:
    """Why the content is no list of paths."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    noun = detect_type(head[:SNIFF_BYTES])
    if is_song(head):
        return "looks like a MIDI file: name it without the @"
    if head.startswith((ZIP, GZIP, XZ, ZSTD)) or noun in ("a tar archive", "HTML", "XML"):  # a path may begin with MZ or ID3
        return f"looks like {noun}"
    separator, chunks = _content(file)
    if not head.startswith(tuple(mark for mark, _ in MARKS)) and _is_utf16(head):
        return "looks like UTF-16 without a byte-order mark: save it as UTF-8"
    if not head.startswith(tuple(mark for mark, _ in MARKS)) and _is_binary(head, separator):
        return f"looks like {noun or 'binary data'}"
    problems: list[str] = []
    try:
        if separator != b"\0":
            chunks = _without_nul(chunks)
        for _ in _split(chunks, separator, problems.append):
            if problems:
                break
    except UnicodeError as problem:
        return f"is not what its byte-order mark says ({problem})"
    except _NulInLine as problem:
        return f"has a NUL byte in its line {problem}, and does not end with one"
    return f"has {problems[0]}" if problems else None


class _NulInLine(Exception):
    """A NUL in a list of lines, with the number of the line."""


def _without_nul(chunks: Iterator[bytes]) -> Iterator[bytes]:
    lines = 1
    for chunk in chunks:
        at = chunk.find(b"\0")
        lines += chunk.count(b"\n", 0, len(chunk) if at < 0 else at)
        if at >= 0:
            raise _NulInLine(f"{lines:,}")
        yield chunk


def _is_binary(head: bytes, separator: bytes) -> bool:
    """Whether these are no paths: between their NULs is nothing, which no program writes, or many bytes are control characters."""
    if separator == b"\0" and b"\0\0" in head.rstrip(b"\0"):
        return True
    controls = len(head) - len(head.translate(None, CONTROL_BYTES))
    return controls >= MIN_CONTROL_BYTES and 20 * controls > len(head)


def _is_utf16(head: bytes) -> bool:
    """Whether most of what stands between NULs is a single byte: ASCII letters in UTF-16. Its bytes would read as paths of one
    letter, among them "." and "/".
    """
    pieces = [len(piece) for piece in head.split(b"\0") if piece]
    return len(pieces) > 1 and 2 * pieces.count(1) > len(pieces)


def _content(file: IO[bytes], errors: str = "strict") -> tuple[bytes, Iterator[bytes]]:
    """What ends each path, and the list in UTF-8, or as it is without a mark."""
    file.seek(0)
    start = file.read(4)
    mark, encoding = next(((mark, name) for mark, name in MARKS if start.startswith(mark)), (b"", None))
    file.seek(len(mark))
    separator = _separator(file.fileno(), encoding, file.read(HEAD_BYTES))
    file.seek(len(mark))
    return separator, _utf8_chunks(file.read, encoding, errors)


def _open(path: bytes) -> int:
    if path == STANDARD_INPUT:
        if _standard_input is None:
            raise OSError("standard input was not read")
        return os.dup(_standard_input.fileno())
    # O_NONBLOCK: opening a FIFO without a writer must not block.
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)


def _separator(fd: int, encoding: str | None, head: bytes) -> bytes:
    """What ends each path, by the end of the list and its first bytes."""
    width = 1 if encoding is None else len("\n".encode(encoding))
    size = os.fstat(fd).st_size
    if size >= width and os.pread(fd, width, size - width) == bytes(width):
        return b"\0"
    text = head.decode(encoding or "latin-1", "ignore")
    return b"\r" if "\r" in text and "\n" not in text else b"\n"


def _without_quotes(line: bytes) -> bytes:
    """The path in a line that stands in quotes, as Windows' "Copy as path" writes it; a file whose name has the quotes keeps them."""
    is_quoted = len(line) > 2 and line[:1] == line[-1:] and line[:1] in (b'"', b"'")
    return line[1:-1] if is_quoted and not os.path.lexists(line) else line


def _utf8_chunks(read: Callable[[int], bytes], encoding: str | None, errors: str) -> Iterator[bytes]:
    """The rest of the list, as UTF-8 if it has a mark."""
    decoder = codecs.getincrementaldecoder(encoding)(errors) if encoding else None
    while data := read(CHUNK_BYTES):
        yield decoder.decode(data).encode(errors="replace") if decoder else data
    if decoder and (rest := decoder.decode(b"", final=True)):
        yield rest.encode()


def _split(chunks: Iterator[bytes], separator: bytes, add_problem: Callable[[str], None]) -> Iterator[bytes]:
    """What stands between the separators, in bounded memory."""
    rest, is_too_long = b"", False
    for chunk in chain(chunks, [separator]):  # so that the last piece is ended, too; an empty one is no path
        *pieces, rest = (rest + chunk).split(separator)
        for piece in pieces:
            if is_too_long or len(piece) > MAX_PATH_BYTES:
                add_problem(f"a path of more than {MAX_PATH_BYTES:,} bytes")
            else:
                yield piece
            is_too_long = False
        if len(rest) > MAX_PATH_BYTES:
            rest, is_too_long = b"", True
