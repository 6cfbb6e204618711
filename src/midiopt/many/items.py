"""The files that a caller gives: paths and contents, with the name that a result has."""

from __future__ import annotations

import os
from collections.abc import Iterable

from midiopt.api import Source, buffer_of, rest_of


def source_of(number: int, source: Source) -> str | int:
    """What a result names: the path, or the place of content."""
    return os.fsdecode(source) if isinstance(source, (str, os.PathLike)) else number


def bytes_of(source: Source) -> bytes:
    """The content of a buffer or of a binary file object, of which the rest is read; a buffer may be changed afterwards."""
    if isinstance(source, bytes):
        return source
    if isinstance(source, (str, os.PathLike)) or not hasattr(source, "read"):
        return bytes(buffer_of(source))
    return rest_of(source)  # type: ignore[arg-type]  # type checkers do not know hasattr


def check_many(sources: Iterable[Source], name: str) -> None:
    """Raise TypeError for what cannot be iterated over, and for a single file, which would be taken for its characters or lines."""
    if isinstance(sources, (str, bytes, bytearray, memoryview, os.PathLike)) or hasattr(sources, "read"):
        raise TypeError(f"{name}_many() takes many files, such as a list of paths; {name}() takes one")
    iter(sources)
