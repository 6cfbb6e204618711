"""Threads that commit what is handed to them, so that the parent goes on while a database works.

They suit a driver that releases the GIL while it waits for a server. One load more than there are
threads is taken, so that none has to wait for its next; then ``hand`` waits, and a slow database slows
the run instead of filling the memory.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from midiopt.errors import SinkError

Load = TypeVar("Load")

LOOK = 1.0  # seconds between two looks at how long the loads in hand have taken
LEAVING = 2.0  # seconds that close() gives the threads to end what they have in hand


class NoAnswer(SinkError):
    """The database has not even failed; nor would it answer anything else."""


class Writers(Generic[Load]):
    """`count` threads that call ``commit(load)``. The first error it raises is raised by every later method.

    So is NoAnswer when one load has taken more than ``limit()`` seconds: then nothing can end that
    thread, and the run has to end without it.
    """

    def __init__(self, count: int, commit: Callable[[Load], None], limit: Callable[[], float]) -> None:
        self.error: BaseException | None = None
        self._commit = commit
        self._limit = limit
        self._changed = threading.Condition()
        self._next: list[Load] = []  # at most one, which no thread has taken yet
        self._begun: dict[int, float] = {}  # when each load in hand was taken, by thread
        self._closed = False
        self._threads = [threading.Thread(target=self._work, name=f"midiopt-writer-{i}", daemon=True) for i in range(count)]
        for thread in self._threads:
            thread.start()

    def hand(self, load: Load) -> None:
        """Give a load to the next free thread; waits until the one before is taken."""
        with self._changed:
            self._wait(lambda: not self._next)
            self._next.append(load)
            self._changed.notify_all()

    def flush(self) -> None:
        """Wait until everything handed over is committed."""
        self._wait(lambda: not self._next and not self._begun)

    def close(self) -> None:
        """Drop what no thread has taken, and let the threads end."""
        with self._changed:
            self._closed = True
            self._next.clear()
            self._changed.notify_all()
        leave_at = time.monotonic() + LEAVING
        for thread in self._threads:
            thread.join(max(0, leave_at - time.monotonic()))

    def _wait(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            while not self._changed.wait_for(lambda: self.error or condition(), LOOK):
                now = time.monotonic()
                if now - min(self._begun.values(), default=now) > self._limit():
                    self.error = NoAnswer(f"the database has not taken a batch for {self._limit():g} seconds; what was committed stays")
            if self.error:
                raise self.error

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._next or self._closed or self.error)
                if not self._next or self.error:
                    return
                load = self._next.pop()
                self._begun[threading.get_ident()] = time.monotonic()
                self._changed.notify_all()
            error: BaseException | None = None
            try:
                self._commit(load)
            except BaseException as problem:
                error = problem
            del load
            with self._changed:
                del self._begun[threading.get_ident()]
                self.error = self.error or error
                self._changed.notify_all()
