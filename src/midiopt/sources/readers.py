"""The ways to read files, by name; all but the default one exist to be measured."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from midiopt.sources.read_ahead import ReadAhead
from midiopt.sources.reader import MappedReader, Reader

READERS: dict[str, Callable[..., Reader]] = {
    "ahead": ReadAhead,
    "read": Reader,
    "mmap": MappedReader,
    "always-ahead": partial(ReadAhead, always=True),
}
