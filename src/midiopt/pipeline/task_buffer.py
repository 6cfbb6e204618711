"""Tasks that the walk has found and no worker has yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from midiopt.pipeline.tasks import Task

MAX_TASKS_AHEAD = 800  # 100,000 paths, about 15 MB


class TaskBuffer:
    """Tasks from an iterator, some of them taken before a worker can accept them."""

    def __init__(self, tasks: Iterator[Task | None], max_ahead: int = MAX_TASKS_AHEAD) -> None:
        self._tasks = tasks
        self._max_ahead = max_ahead
        self._ahead: deque[Task] = deque()
        self._at_end = False

    def is_empty(self) -> bool:
        """Whether all tasks have been taken."""
        return self._at_end and not self._ahead

    def can_fetch(self) -> bool:
        """Whether one more task may be taken ahead."""
        return not self._at_end and len(self._ahead) < self._max_ahead

    def fetch(self) -> None:
        """Take one task ahead, if the iterator has one by now."""
        if task := self._next():
            self._ahead.append(task)

    def take(self) -> Task | None:
        """The next task; None if there is none, or none yet."""
        return self._ahead.popleft() if self._ahead else self._next()

    def put_back(self, task: Task) -> None:
        """Make a task the next one."""
        self._ahead.appendleft(task)

    def _next(self) -> Task | None:
        try:
            return next(self._tasks)
        except StopIteration:
            self._at_end = True
            return None
