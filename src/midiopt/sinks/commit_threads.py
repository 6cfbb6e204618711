"""Threads that commit batches, so that the parent goes on while the database works.

They suit a driver that releases the GIL while it waits for a server. One item more than there are threads is accepted, so
that no thread has to wait for its next item; then ``submit`` waits. A slow database therefore slows down the run instead of
filling the memory.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from midiopt.errors import SinkError

Item = TypeVar("Item")

TIMEOUT_CHECK_INTERVAL = 1.0  # seconds
NOTICE_DELAY = 5.0  # seconds without a commit before the user is told
CLOSE_TIMEOUT = 2.0  # seconds that close() gives the threads to finish their items


class CommitTimeout(SinkError):
    """The database neither commits nor fails, so any other statement would wait as well."""


class CommitThreads(Generic[Item]):
    """`count` threads that call ``commit(item)``. The first error is raised by every later method.

    CommitTimeout is such an error: it is raised when an item has taken more than ``timeout()`` seconds. Nothing can
    interrupt that thread, so the run has to end without it. ``notify`` is told when an item takes long.
    """

    def __init__(self, count: int, commit: Callable[[Item], None], timeout: Callable[[], float], notify: Callable[[str], None]) -> None:
        self.error: BaseException | None = None
        self._commit = commit
        self._timeout = timeout
        self._notify = notify
        self._has_told = False
        self._changed = threading.Condition()
        self._next: list[Item] = []  # at most one, not yet taken by a thread
        self._started_at: dict[int, float] = {}  # monotonic time at which each thread took its current item
        self._closed = False
        self._threads = [threading.Thread(target=self._work, name=f"midiopt-commit-{i}", daemon=True) for i in range(count)]
        for thread in self._threads:
            thread.start()

    def submit(self, item: Item) -> None:
        """Queue an item for the next free thread; waits until the item before it is taken."""
        with self._changed:
            self._wait(lambda: not self._next)
            self._next.append(item)
            self._changed.notify_all()

    def flush(self) -> None:
        """Wait until every submitted item is committed."""
        self._wait(lambda: not self._next and not self._started_at)

    def close(self) -> None:
        """Drop the queued item and let the threads end."""
        with self._changed:
            self._closed = True
            self._next.clear()
            self._changed.notify_all()
        deadline = time.monotonic() + CLOSE_TIMEOUT
        for thread in self._threads:
            thread.join(max(0, deadline - time.monotonic()))

    def _wait(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            while not self._changed.wait_for(lambda: self.error or condition(), TIMEOUT_CHECK_INTERVAL):
                now = time.monotonic()
                timeout = self._timeout()
                seconds = now - min(self._started_at.values(), default=now)
                if seconds > NOTICE_DELAY and not self._has_told:
                    self._has_told = True
                    self._notify(f"the database has not committed a batch for {seconds:.0f} seconds; waiting up to {timeout:g}")
                if seconds > timeout:
                    self.error = CommitTimeout(f"the database has not committed a batch within {timeout:g} seconds; committed batches stay")
            if self.error:
                raise self.error

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._next or self._closed or self.error)
                if not self._next or self.error:
                    return
                item = self._next.pop()
                self._started_at[threading.get_ident()] = time.monotonic()
                self._changed.notify_all()
            error: BaseException | None = None
            try:
                self._commit(item)
            except BaseException as problem:
                error = problem
            del item
            with self._changed:
                del self._started_at[threading.get_ident()]
                self.error = self.error or error
                self._changed.notify_all()
