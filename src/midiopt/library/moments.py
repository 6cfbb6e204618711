"""The transaction in which a database is read: open while somebody reads, so that who has it open and does not read holds nothing up.

A run waits for the lock of SQLite that a transaction holds on a database that no other run writes, and for the locks of PostgreSQL when it
makes indexes or upgrades tables: an open notebook would end the run of every night.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator


class Moments:
    """Begins a transaction with the first of those who read at the same time, in any thread, and ends it with the last."""

    def __init__(self, begin: Callable[[], object], end: Callable[[], object]) -> None:
        self._begin = begin
        self._end = end
        self._lock = threading.RLock()  # the collector of garbage may end a reader in the midst of either part
        self._readers: list[None] = []
        self._is_open = False

    @contextlib.contextmanager
    def read(self) -> Iterator[None]:
        """While the with block runs, all queries read the database as it was at one moment."""
        with self._lock:
            self._readers.append(None)
            try:
                if not self._is_open:
                    self._begin()
                    self._is_open = True
            except BaseException:
                self._readers.pop()
                raise
        try:
            yield
        finally:
            with self._lock:
                self._readers.pop()
                if not self._readers and self._is_open:
                    self._is_open = False
                    self._end()
