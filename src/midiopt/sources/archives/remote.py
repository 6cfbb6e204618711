"""An archive in an object store or on a web server, read in blocks, of which the next ones are on their way."""

from __future__ import annotations

import os
import tempfile
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import IO, Any

from midiopt.sources import objects
from midiopt.sources.archives.stream import Stream
from midiopt.sources.file_state import SECOND, FileState
from midiopt.sources.stores import NoRanges

BLOCK_BYTES = 4 << 20
MAX_BLOCKS = 8  # in memory, per open archive
BLOCKS_AHEAD = 2


class RemoteArchive:
    """An archive at a URL, with what FileArchive has. While it waits, ``show_life`` is called. Raises OSError.

    Where a server sends only whole objects, as some web servers do, the archive is loaded into a temporary file, which has no name.
    """

    def __init__(self, url: bytes, show_life: Callable[[], None] = lambda: None) -> None:
        self._url = url
        self._backend = objects.backend_of(url)
        self._show_life = show_life
        self._blocks: OrderedDict[int, Future[Any]] = OrderedDict()
        self._has_changed = False
        self.fd = -1
        self._loaded: IO[bytes] | None = None
        self.state = objects.wait(objects.submit(self._backend.head, url), show_life)
        self.size = self.state.size
        self.file = Stream(self)

    def read(self, size: int, offset: int) -> bytes:
        """At most ``size`` bytes from ``offset``; fewer where the file ends, none outside it."""
        if not 0 <= offset < self.size or size <= 0:
            return b""
        end = min(offset + size, self.size)
        try:
            return self._from_blocks(offset, end)
        except NoRanges:
            self._load()
            return self._from_blocks(offset, end)

    def _from_blocks(self, offset: int, end: int) -> bytes:
        if self._loaded:
            return os.pread(self._loaded.fileno(), end - offset, offset)
        pieces = []
        for number in range(offset // BLOCK_BYTES, (end - 1) // BLOCK_BYTES + 1):
            start = number * BLOCK_BYTES
            pieces.append(self._block(number)[max(0, offset - start) : end - start])
        return b"".join(pieces)

    def _block(self, number: int) -> memoryview:
        is_sequel = number - 1 in self._blocks and number not in self._blocks
        found = self._blocks.pop(number, None) or self._ask(number)
        self._blocks[number] = found
        for ahead in range(number + 1, number + 1 + BLOCKS_AHEAD) if is_sequel or number == 0 else ():
            if ahead * BLOCK_BYTES < self.size and ahead not in self._blocks:
                self._blocks[ahead] = self._ask(ahead)
        while len(self._blocks) > MAX_BLOCKS:
            self._blocks.popitem(last=False)
        data, state = objects.wait(found, self._show_life)
        self._note(state)
        return memoryview(data)

    def _ask(self, number: int) -> Future[Any]:
        start = number * BLOCK_BYTES
        return objects.submit(self._backend.read_range, self._url, start, min(start + BLOCK_BYTES, self.size))

    def _load(self) -> None:
        self._blocks.clear()
        file = tempfile.TemporaryFile()  # noqa: SIM115 (close() does)
        self._note(objects.wait(objects.submit(self._backend.download, self._url, file), self._show_life))
        self._loaded, self.fd = file, file.fileno()  # from now on it is read like one on disk

    def _note(self, state: FileState) -> None:
        self._has_changed |= state.mtime_ns % SECOND != self.state.mtime_ns % SECOND

    def close(self) -> None:
        """Forget what was loaded."""
        self._blocks.clear()
        if self._loaded:
            self._loaded.close()

    def is_unchanged(self) -> bool:
        """Whether everything that was read is of one version."""
        return not self._has_changed
