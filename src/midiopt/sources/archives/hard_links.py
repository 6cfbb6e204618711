"""The content of hard links in a tar: that of the last file of the name that they link to."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from midiopt.errors import Damaged
from midiopt.sources.archives.tar import Tar
from midiopt.sources.archives.tar_types import HardLink


class Place(NamedTuple):
    """Content in a tar."""

    offset: int
    size: int


class HardLinks:
    """Finds the files with a second reader and reads them with a third: few archives have hard links, so that nothing is remembered
    before the first one.

    Both go from front to back. In a compressed tar, a link to a file before that of the last link costs one more decompression
    from the start, which the budget of the archive pays.
    """

    def __init__(self, open_tar: Callable[[], Tar]) -> None:
        self._open_tar = open_tar
        self._finder: Tar | None = None
        self._reader: Tar | None = None
        self._places: dict[bytes, Place] = {}

    def find(self, link: HardLink) -> Place | None:
        """The content of a link; None if no file before it has that name."""
        if self._finder is None:
            self._finder = self._open_tar()
            self._finder.read_ahead = False
        target = None
        while self._finder.offset < link.offset:
            try:
                name, size, _, _, kind = next(self._finder)
            except (Damaged, StopIteration):
                break
            if kind is None:
                self._places[_key(name)] = Place(self._finder.offset, size)
            elif isinstance(kind, HardLink) and (target := self._places.get(_key(kind.target))):
                self._places[_key(name)] = target
        return self._places.get(_key(link.target))

    def read(self, place: Place) -> memoryview:
        """Valid until the next call. Raises Damaged."""
        if self._reader is None or self._reader.offset > place.offset:
            self._reader = self._open_tar()
        return self._reader.read_at(place.offset, place.size)


def _key(name: bytes) -> bytes:
    return name.removeprefix(b"./")
