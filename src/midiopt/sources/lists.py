"""Lists of paths: ``@FILE``.

One path per line, which may stand in quotes, or each ended by NUL, as ``find -print0`` writes them: the last byte of the list says
which. Lines end with LF, CRLF, or CR alone where there is no LF. With a byte-order mark a list is UTF-8, UTF-16 (PowerShell's ``>``)
or UTF-32; without one, its bytes are the paths.
"""

from __future__ import annotations

import codecs
import os
import stat
from collections.abc import Callable, Iterator
from itertools import chain

from midiopt.errors import SourceError

MAX_PATH_BYTES = 1 << 20  # the system allows 4 KiB; up to here a path that is too long gets its row
CHUNK_BYTES = 1 << 20
HEAD_BYTES = 1 << 16  # of a list, in which an LF is looked for
MARKS = (  # UTF-32 first: its mark begins like that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF8, None),
)


def check_list(path: bytes) -> None:
    """Raise SourceError for a list that cannot be read: a FIFO or device, which may have no end, or UTF-16 without its mark."""
    name = os.fsdecode(path)
    try:
        fd = _open(path)
    except (OSError, ValueError) as problem:
        raise SourceError(f"the list {name!r} cannot be read: {problem}") from None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise SourceError(f"the list {name!r} is not a regular file: write the paths into one, and name it after the @")
        head = os.read(fd, 4)
        is_marked = any(head.startswith(mark) for mark, _ in MARKS)
        if not is_marked and (head[:1] == b"\0" or (len(head) == 4 and head[1] == 0 == head[3])):
            raise SourceError(f"the list {name!r} looks like UTF-16 without a byte-order mark: save it as UTF-8")
    finally:
        os.close(fd)


def listed_paths(path: bytes, add_problem: Callable[[str], None]) -> Iterator[bytes]:
    """The absolute paths in a list. What cannot be a path (one with NUL in a list of lines, or a very long one) is a problem."""
    with open(_open(path), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            add_problem("not a regular file")
            return
        mark, encoding = next(((mark, name) for mark, name in MARKS if file.peek(4).startswith(mark)), (b"", None))
        file.seek(len(mark))
        separator = _separator(file.fileno(), encoding, file.read(HEAD_BYTES))
        file.seek(len(mark))
        for piece in _split(_utf8_chunks(file.read, encoding), separator, add_problem):
            name = piece if separator == b"\0" else piece.rstrip(b"\r")
            if b"\0" in name:
                add_problem(f"not a path: {os.fsdecode(name[:100])!r}")
            elif name:
                yield os.path.abspath(name if separator == b"\0" else _without_quotes(name))


def _open(path: bytes) -> int:
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


def _utf8_chunks(read: Callable[[int], bytes], encoding: str | None) -> Iterator[bytes]:
    """The rest of the list, as UTF-8 if it has another encoding."""
    decoder = codecs.getincrementaldecoder(encoding)("replace") if encoding else None
    while data := read(CHUNK_BYTES):
        yield decoder.decode(data).encode(errors="replace") if decoder else data


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
