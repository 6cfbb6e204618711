"""The files that a caller gives: paths and contents, with the name that a result has."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

from midiopt.api.source import Source, buffer_of, rest_of

UNENCODABLE = "the name cannot be encoded"  # half of a surrogate pair, as JSON may have it


def numbered(sources: Iterable[Source]) -> Iterator[tuple[int, Any]]:
    """Each with its place. The items of an Arrow array become those of Python: text would be taken for content, as any other buffer."""
    for number, source in enumerate(sources):
        yield number, source.as_py() if hasattr(source, "as_py") else source


def source_of(number: int, source: Source) -> str | int:
    """What a result names: the path, or the place of content."""
    return os.fsdecode(source) if isinstance(source, (str, os.PathLike)) else number


def bytes_of(source: Source) -> bytes:
    """The content of a buffer or of a binary file object, of which the rest is read; a buffer may be changed afterwards."""
    if isinstance(source, bytes):
        return source
    if isinstance(source, (str, os.PathLike)) or not hasattr(source, "read"):
        return bytes(buffer_of(source))
    return rest_of(source)


def check_many(sources: Iterable[Source], name: str) -> None:
    """Raise TypeError for what cannot be iterated over, for a single file, which would be taken for its characters or lines, and for a
    table, whose iteration gives the names of its columns.
    """
    if isinstance(sources, (str, bytes, bytearray, memoryview, os.PathLike)) or hasattr(sources, "read"):
        raise TypeError(f"{name}_many() takes many files, such as a list of paths; {name}() takes one")
    if hasattr(sources, "columns"):
        raise TypeError(f"{name}_many() takes paths or contents: give it a column of the table")
    iter(sources)
