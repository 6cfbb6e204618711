"""Runs tasks over an executor: on a cluster, or wherever else a caller's concurrent.futures.Executor does.

It stands in the place of the WorkerPool. A task of an executor is a range of an archive, or several archives, or several tasks of files:
few at first, so that all workers get some of a small collection, then up to MAX_ARCHIVES or MAX_GROUP. At most TASKS_PER_SLOT of them per
slot are in flight. A task whose worker is lost is executed again, in pieces, until a single file or range is left, which is `crashed` when
it has lost MAX_LOSSES workers more; files that kill or hang their process never get so far (executor_task.py). After the loss of the
scheduler the tasks in flight are sent again when it is back.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Future
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import Any, Self

from midiopt.errors import MidioptError
from midiopt.pipeline.archive_scheduler import ArchiveTask
from midiopt.pipeline.crashed import crashed_row_message
from midiopt.pipeline.executor_task import ExecutorTask, TaskSettings, run_task
from midiopt.pipeline.executors import Connection
from midiopt.pipeline.pool import RESULT_TIMEOUT, STOP_GRACE, Result
from midiopt.pipeline.shard_scheduler import ShardScheduler
from midiopt.pipeline.signals import Stop
from midiopt.pipeline.task_buffer import TaskBuffer
from midiopt.pipeline.tasks import AnalyzeFiles, ArchiveReport, FinishArchive, ReadMembers, Task, encode_task
from midiopt.run_log import event

MAX_GROUP = 16  # tasks of files in a task of the executor: 2,048 files, 0.3 s and more
MAX_ARCHIVES = 4  # in a task of the executor, the first range of each: with 1,000 songs in each, the same as one archive of 4,000
TASKS_PER_SLOT = 2  # one that is executed, and one that waits
SLOTS_INTERVAL = 2.0  # seconds between two questions for the number of slots, which may change
MAX_LOSSES = 3
PIECES = 8  # of a task whose worker was lost
RECONNECT_INTERVAL = 1.0  # seconds
RECONNECT_TIMEOUT = 300.0  # seconds without the executor, as for a database: a scheduler that is restarted is back before


@dataclass
class _Work:
    """A task of the executor."""

    tasks: list[Task]
    losses: int = 0  # of workers, since it cannot be divided any more

    def pieces(self) -> list[_Work]:
        """The same in pieces; only itself if it cannot be divided."""
        if len(self.tasks) > 1:
            size = -(-len(self.tasks) // PIECES)
            return [_Work(self.tasks[i : i + size]) for i in range(0, len(self.tasks), size)]
        [task] = self.tasks
        if isinstance(task, AnalyzeFiles) and len(task.paths) > 1:
            size = -(-len(task.paths) // PIECES)
            return [_Work([task._replace(paths=task.paths[i : i + size])]) for i in range(0, len(task.paths), size)]
        return [self]


class ExecutorPool:
    """The tasks of one run over an executor. ``notify`` is told what it waits for. Close it, or use it as a context manager."""

    def __init__(self, connection: Connection, settings: TaskSettings, notify: Callable[[str], None]) -> None:
        self._connection = connection
        self._settings = settings
        self._notify = notify
        self._archives = ShardScheduler()
        self._in_flight: dict[Future[Any], _Work] = {}
        self._done: SimpleQueue[Future[Any]] = SimpleQueue()
        self._again: deque[_Work] = deque()
        self._given_up: list[Result] = []
        self._submitted = 0
        self._slots = 1
        self._next_slots = 0.0
        self._lost_since = 0.0  # when the executor was lost; 0 while it is there
        self._next_attempt = 0.0

    def start_worker(self) -> None:
        """Workers of an executor run already."""

    def run(self, tasks: Iterator[Task | None], stop: Stop | None = None) -> Iterator[list[Result]]:
        """Process all tasks, as WorkerPool.run()."""
        stop = stop or Stop()
        upcoming = TaskBuffer(tasks)
        while stop.seconds() < STOP_GRACE and (self._is_busy(stop) or not (stop.is_requested() or upcoming.is_empty())):
            can_fetch = upcoming.can_fetch() and not stop.is_requested()
            results = self._collect(0 if can_fetch else RESULT_TIMEOUT)
            if can_fetch and not results:
                upcoming.fetch()
            while not stop.is_requested() and self._has_room() and (work := self._next_work(upcoming)):
                self._submit(work)
            yield results

    def close(self) -> None:
        """Take back what has not begun."""
        for future in list(self._in_flight):
            future.cancel()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _is_busy(self, stop: Stop) -> bool:
        return bool(self._in_flight or self._given_up) or (bool(self._again) and not stop.is_requested())

    def _has_room(self) -> bool:
        now = time.monotonic()
        if self._lost_since:
            self._reconnect(now)
            return False
        if now >= self._next_slots:
            self._next_slots = now + SLOTS_INTERVAL
            with contextlib.suppress(Exception):  # what an executor raises that is gone, only it knows; submit() will raise it, too
                self._slots = self._connection.slots()
        return len(self._in_flight) < TASKS_PER_SLOT * self._slots

    def _next_work(self, upcoming: TaskBuffer) -> _Work | None:
        """What was lost, then the archives that are being read, then new tasks."""
        if self._again:
            return self._again.popleft()
        if archive_task := self._archives.next_task(None):
            return _Work([archive_task])
        group: list[Task] = []
        size = min(MAX_GROUP, 1 + self._submitted // self._slots)
        while len(group) < size and (task := upcoming.take()):
            is_archive = isinstance(task, ReadMembers)
            if group and (is_archive != isinstance(group[0], ReadMembers) or (is_archive and len(group) == MAX_ARCHIVES)):
                upcoming.put_back(task)
                break
            group.append(self._archives.first_task(task) if isinstance(task, ReadMembers) else task)
        return _Work(group) if group else None

    def _submit(self, work: _Work) -> None:
        try:
            future = self._connection.submit(run_task, ExecutorTask(self._settings, tuple(map(encode_task, work.tasks))))
        except Exception as problem:  # as above
            self._again.appendleft(work)
            self._lose(problem)
            return
        self._submitted += 1
        self._in_flight[future] = work
        future.add_done_callback(self._done.put)

    def _collect(self, timeout: float) -> list[Result]:
        """The results that have arrived; waits up to ``timeout`` seconds for the first one."""
        results, self._given_up = self._given_up, []
        try:
            future = self._done.get(timeout=timeout) if timeout and not results else self._done.get_nowait()
            while True:
                if work := self._in_flight.pop(future, None):
                    results += self._results(work, future)
                future = self._done.get_nowait()
        except Empty:
            return results

    def _results(self, work: _Work, future: Future[Any]) -> list[Result]:
        try:
            answers, part = future.result()
        except CancelledError as problem:
            self._again.append(work)
            self._lose(problem)
            return []
        except MidioptError:
            raise
        except Exception as problem:
            if not _is_loss(problem):
                raise MidioptError(f"a worker of the executor cannot run midiopt: {type(problem).__name__}: {problem}") from problem
            self._retry(work, problem)
            return []
        results: list[Result] = []
        for task, messages in zip(work.tasks, answers, strict=True):
            found = [Result.from_message(message, task, None if part is None else "") for message in messages]
            if isinstance(task, (ReadMembers, FinishArchive)):
                self._archives.answered_in_parts(task, [result.report for result in found if result.report])
            results += found
        if part:
            results[-1] = replace(results[-1], part=part)
        return results

    def _retry(self, work: _Work, problem: Exception) -> None:
        """Schedule a task again whose worker was lost."""
        event("retry", reason=f"a worker of the executor was lost: {type(problem).__name__}", files=len(work.tasks))
        pieces = work.pieces()
        if len(pieces) > 1:
            self._again.extend(pieces)
            return
        work.losses += 1
        if work.losses < MAX_LOSSES:
            self._again.append(work)
            return
        [task] = work.tasks
        reason = f"{work.losses} workers of the executor were lost ({type(problem).__name__})"
        if isinstance(task, (ReadMembers, FinishArchive)):
            self._give_up_archive(task, reason)
        elif isinstance(task, AnalyzeFiles):
            self._given_up.append(Result.from_message(crashed_row_message(task.paths[0], reason), task))

    def _give_up_archive(self, task: ArchiveTask, reason: str) -> None:
        report = ArchiveReport.of_crash(is_member=False)
        self._archives.answered(task, report, None)
        self._given_up.append(Result.from_message(crashed_row_message(task.path, reason, report.encode()), task))

    def _lose(self, problem: BaseException) -> None:
        """The executor is gone; all its tasks will be sent again."""
        if not self._lost_since:
            self._lost_since = time.monotonic()
            self._notify(f"the executor is lost ({type(problem).__name__}); waiting for it up to {RECONNECT_TIMEOUT:g} seconds")
            event("executor lost", reason=type(problem).__name__)
        self._again.extend(self._in_flight.values())
        self._in_flight.clear()

    def _reconnect(self, now: float) -> None:
        if now < self._next_attempt:
            return
        try:
            self._connection.reconnect()
        except OSError as problem:
            if now - self._lost_since > RECONNECT_TIMEOUT:
                raise MidioptError(f"the executor is lost, and did not come back in {RECONNECT_TIMEOUT:g} seconds") from problem
            self._next_attempt = time.monotonic() + RECONNECT_INTERVAL
            return
        self._lost_since = self._next_slots = 0.0


def _is_loss(problem: Exception) -> bool:
    """Whether a worker, or the way to it, was lost. Executors have exceptions of their own, which this module does not import."""
    return isinstance(problem, (BrokenExecutor, OSError)) or type(problem).__name__ == "KilledWorker"
