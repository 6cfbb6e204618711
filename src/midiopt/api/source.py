"""What a file is given as: its path, its content in any buffer, or a binary file object."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

from midiopt.limits import MAX_FILE_BYTES
from midiopt.sources.filetypes import is_compressed
from midiopt.sources.reader import Reader

if TYPE_CHECKING:
    from typing_extensions import Buffer
else:  # typing.get_type_hints asks for one, which Python has from 3.12 on
    Buffer = bytes | bytearray | memoryview

Source: TypeAlias = str | os.PathLike[str] | Buffer | BinaryIO

_local = threading.local()


def content_of(source: Source) -> Reader | bytes | bytearray | memoryview:
    """The content of a file, decompressed if its name says so (``song.mid.gz``), or the buffer itself."""
    if isinstance(source, (bytes, bytearray)):
        return source
    if hasattr(source, "as_py"):  # an item of an Arrow array: text would be taken for content, as any other buffer
        return content_of(source.as_py())
    if not isinstance(source, (str, os.PathLike)):
        if not hasattr(source, "read"):
            return buffer_of(source)
        return rest_of(source)
    if not hasattr(_local, "reader"):
        _local.reader = Reader()
    reader: Reader = _local.reader
    path = os.fsencode(source)
    try:
        reader.read(path)
    except OSError as problem:
        raise OSError(problem.errno, problem.strerror, os.fspath(source)) from None
    if is_compressed(path):
        from midiopt.sources.archives.decompress import decompress_file  # that most programs never need

        return bytes(decompress_file(reader, MAX_FILE_BYTES))
    return reader


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
    content: str | bytes | None = file.read()
    if isinstance(content, str):
        raise TypeError('the file is open as text: open it with mode "rb"')
    if content is None:
        raise BlockingIOError("the file does not block, and has no data yet")
    return content
