"""What a file is given as: its path, its content in any buffer, or a binary file object."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

from midiopt.limits import MAX_FILE_BYTES
from midiopt.sources.paths import may_be_stored
from midiopt.sources.plain_content import LAST_OF_ARCHIVES, check_is_no_archive, plain_content
from midiopt.sources.reader import Reader, begins_with
from midiopt.sources.sniff import GZIP

if TYPE_CHECKING:
    from typing_extensions import Buffer
else:  # typing.get_type_hints asks for one, which Python has from 3.12 on
    Buffer = bytes | bytearray | memoryview

Source: TypeAlias = str | os.PathLike[str] | Buffer | BinaryIO
Content: TypeAlias = Reader | bytes | bytearray | memoryview

_local = threading.local()


def content_of(source: Source) -> Content:
    """The content of a file, decompressed as plain_content() says; of a sound file given as a buffer, the buffer itself."""
    if isinstance(source, (bytes, bytearray)):
        return _plain(b"", source) if begins_with(source, GZIP) else source  # most often not: 0.03 us instead of 0.3
    if hasattr(source, "as_py"):  # an item of an Arrow array: text would be taken for content, as any other buffer
        return content_of(source.as_py())
    if not isinstance(source, (str, os.PathLike)):
        return _plain(b"", rest_of(source) if hasattr(source, "read") else buffer_of(source))
    try:
        reader: Reader = _local.reader
    except AttributeError:
        reader = _local.reader = Reader()
    path = os.fsencode(source)
    try:
        reader.read(path)
    except OSError as problem:
        if not may_be_stored(path):
            raise OSError(problem.errno, problem.strerror, os.fspath(source)) from None
        return _stored(source)
    if path[-1] in LAST_OF_ARCHIVES or begins_with(reader, GZIP):  # most often not: 0.08 us instead of 0.3
        check_is_no_archive(path, reader)
        return _plain(path, reader)
    return reader


def _stored(source: str | os.PathLike[str]) -> Content:
    """The content of a file that is not there under this name, but may be under one that a database writes so."""
    from midiopt.sources.content import read_content  # and with it all of sources.archives

    try:
        content = read_content(os.path.join(os.curdir, os.fsdecode(source)), opens_pipes=False)
        return content  # type: ignore[return-value]  # a reader, or bytes
    except OSError as problem:
        raise OSError(problem.errno, problem.strerror, os.fspath(source)) from None


def _plain(name: bytes, data: Content) -> Content:
    return plain_content(name, data, MAX_FILE_BYTES)  # type: ignore[return-value]  # what is decompressed is bytes


def buffer_of(source: Any) -> memoryview:
    """The bytes of another buffer, such as an array. Raises TypeError for what is no file, such as an array of paths."""
    try:
        view = memoryview(source)
    except TypeError:
        view = None
    if view is None or view.format[-1] in "Ow":  # Python objects, and the characters of numpy
        raise TypeError(f"a file is given as its path, its content or a binary file object, not as {type(source).__name__}")
    return view if view.c_contiguous else memoryview(view.tobytes())  # of every second byte, say


def rest_of(file: Any) -> bytes:
    """What is left to read of a file object. Raises TypeError for one that is open as text."""
    content: str | bytes | None
    try:
        content = file.read()
    except UnicodeDecodeError:
        content = ""
    if isinstance(content, str):
        raise TypeError('the file is open as text: open it with mode "rb"')
    if content is None:
        raise BlockingIOError("the file does not block, and has no data yet")
    return content
