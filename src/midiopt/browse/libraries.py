"""The open databases of the server: one per request that is being answered, kept for the requests that follow soon.

To open an SQLite database takes 0.5 to 2 ms, and a PostgreSQL one more. But a library is the database at one moment, and as long as it
is open, the log of a run cannot be shortened: so none is kept for long.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

from midiopt.library.snapshot import Snapshot, open_snapshot

MAX_AGE = 2.0  # seconds from opening


class Libraries:
    """Opens the database at ``url`` for whoever asks, in any thread."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._mutex = threading.Lock()
        self._idle: list[tuple[float, Snapshot]] = []  # with the time of opening, the oldest first
        self._timer: threading.Timer | None = None

    @contextlib.contextmanager
    def open(self) -> Iterator[Snapshot]:
        """A library that nobody else uses. Raises SinkError if the database cannot be opened."""
        self.close_older_than(MAX_AGE)
        with self._mutex:
            opened, library = self._idle.pop() if self._idle else (time.monotonic(), None)
        library = library or open_snapshot(self._url, finds_use=False).__enter__()
        try:
            yield library
        except BaseException:
            library.__exit__(None, None, None)
            raise
        with self._mutex:
            self._idle.append((opened, library))
            self._idle.sort(key=lambda item: item[0])
            if not self._timer:
                self._timer = threading.Timer(MAX_AGE, self._close_by_time)
                self._timer.daemon = True
                self._timer.start()

    def close_older_than(self, seconds: float) -> None:
        """Close the libraries that nobody uses and that were opened so long ago."""
        limit = time.monotonic() - seconds
        with self._mutex:
            old = [library for opened, library in self._idle if opened <= limit]
            self._idle = [item for item in self._idle if item[0] > limit]
        for library in old:
            library.__exit__(None, None, None)

    def _close_by_time(self) -> None:
        with self._mutex:
            self._timer = None
        self.close_older_than(0)
