"""Threads that commit what is handed to them, so that the parent goes on while a database works.

They suit a driver that releases the GIL while it waits for a server. One load more than there are
threads is taken, so that none has to wait for its next; then ``hand`` waits, and a slow database slows
the run instead of filling the memory.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Load = TypeVar("Load")

PATIENCE = 5.0  # seconds that close() gives a thread to end what it has in hand


class Writers(Generic[Load]):
    """`count` threads that call ``commit(load)``. The first error it raises is raised by every later method."""

    def __init__(self, count: int, commit: Callable[[Load], None]) -> None:
        self._commit = commit
        self._changed = threading.Condition()
        self._next: list[Load] = []  # at most one, which no thread has taken yet
        self._in_hand = 0
        self._error: BaseException | None = None
        self._closed = False
        self._threads = [threading.Thread(target=self._work, name=f"midiopt-writer-{i}", daemon=True) for i in range(count)]
        for thread in self._threads:
            thread.start()

    def has_room(self, timeout: float = 0) -> bool:
        """Whether ``hand`` would return at once; waits up to `timeout` seconds for that."""
        return self._wait(lambda: not self._next, timeout)

    def hand(self, load: Load) -> None:
        """Give a load to the next free thread."""
        with self._changed:
            self._wait(lambda: not self._next)
            self._next.append(load)
            self._changed.notify_all()

    def flush(self) -> None:
        """Wait until everything handed over is committed."""
        self._wait(lambda: not self._next and not self._in_hand)

    def close(self) -> None:
        """Drop what no thread has taken, and let the threads end."""
        with self._changed:
            self._closed = True
            self._next.clear()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _wait(self, condition: Callable[[], bool], timeout: float | None = None) -> bool:
        with self._changed:
            met = self._changed.wait_for(lambda: self._error or condition(), timeout)
            if self._error:
                raise self._error
            return bool(met)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._next or self._closed or self._error)
                if not self._next or self._error:
                    return
                load = self._next.pop()
                self._in_hand += 1
                self._changed.notify_all()
            error: BaseException | None = None
            try:
                self._commit(load)
            except BaseException as problem:
                error = problem
            del load
            with self._changed:
                self._in_hand -= 1
                self._error = self._error or error
                self._changed.notify_all()
