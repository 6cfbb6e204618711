"""The worker processes: starting them, distributing tasks, collecting results, and replacing workers that die.

Each worker has its own pipe and at most MAX_QUEUED_TASKS tasks: one that it processes, and others so that it need not wait
while the parent writes. The parent blocks neither while sending nor in the middle of an answer, and waits for all pipes at
once. There is no shared queue and no lock that a killed worker could hold.

When a worker dies, its heartbeat in shared memory names the current file. The other files of its tasks are distributed
again; that file is retried alone, and is `crashed` after MAX_SOLO_CRASHES more workers have died of it. A worker that takes
too long for a file is killed, which counts as dying of it. A single worker is a process, too: that costs 3.5 % more
processor time than analysing in the parent (30,000 files on one core), and no file can end the run.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from midiopt.errors import MidioptError
from midiopt.pipeline.archive_scheduler import ArchiveScheduler, ArchiveTask
from midiopt.pipeline.cores import available_cores
from midiopt.pipeline.crashed import crashed_row_message
from midiopt.pipeline.experiments import Experiments
from midiopt.pipeline.hash_table import SharedHashTable
from midiopt.pipeline.message_pipe import wait
from midiopt.pipeline.options import RunOptions
from midiopt.pipeline.sampling import ALL_PATHS, PathSample
from midiopt.pipeline.signals import Stop
from midiopt.pipeline.task_buffer import MAX_TASKS_AHEAD, TaskBuffer
from midiopt.pipeline.tasks import AnalyzeFiles, AnalyzeItems, ArchiveReport, ReadMembers, Task, item_count
from midiopt.pipeline.worker_handle import WorkerHandle
from midiopt.rows.wire import report_in
from midiopt.run_log import event

MAX_QUEUED_TASKS = 4  # per worker; three answers of 128 files fit into a pipe, but only one of 256
MAX_SOLO_CRASHES = 2
MAX_FAILED_STARTS = 20  # in a row
TIMEOUT_CHECK_INTERVAL = 0.25  # seconds
RESULT_TIMEOUT = 0.5  # seconds without a result after which run() returns control to its caller
STOP_GRACE = 5.0  # seconds that the workers have, after a signal, to finish their tasks


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to a task."""

    message: bytes  # with the rows, see rows/wire.py
    report: ArchiveReport | None  # on the archive that the rows are from
    task: Task
    part: str | None = None
    """Where the rows of the message are already, without their analyses here: in this part, or, if empty, in that of a later result."""

    @classmethod
    def from_message(cls, message: bytes, task: Task, part: str | None = None) -> Self:
        """Decode a message of a worker."""
        return cls(message, ArchiveReport.decode(report_in(message)), task, part)


class WorkerPool:
    """Runs tasks in worker processes, which start when there is work for them, or when start_worker() is called before that.

    ``members`` selects the members of archives to analyse, ``shares_analyses`` is that of the sink, and ``archives`` schedules the
    ranges of archives. Close the pool, or use it as a context manager.
    """

    handle = WorkerHandle

    def __init__(
        self,
        options: RunOptions,
        table: SharedHashTable,
        experiments: Experiments | None = None,
        members: PathSample = ALL_PATHS,
        shares_analyses: bool = True,
        archives: ArchiveScheduler[WorkerHandle] | None = None,
    ) -> None:
        self._options = options
        self._table = table
        self._experiments = experiments or Experiments()
        self._members = members
        self._shares_analyses = shares_analyses
        self._max_workers = options.workers or available_cores()
        self._workers: list[WorkerHandle] = []
        self._archives = archives or ArchiveScheduler[WorkerHandle]()
        self._retries: deque[Task] = deque()  # tasks of workers that died
        self._given_up: list[Result] = []  # rows of what crashed too often
        self._solo_crashes: Counter[bytes | int | ArchiveTask] = Counter()  # of a path, an item's number or an archive's task
        self._failed_starts = 0  # in a row: workers that died before their first file
        self._next_timeout_check = 0.0

    def run(self, tasks: Iterator[Task | None], stop: Stop | None = None, ahead: int = MAX_TASKS_AHEAD) -> Iterator[list[Result]]:
        """Process all tasks. Yields the results that have arrived, often none, several times per second.

        ``tasks`` may yield None to return control to the caller before the next task is found. While no result arrives,
        tasks are taken ahead, up to ``ahead``, at least one. When ``stop`` is requested no more tasks are taken; those that the
        workers have are finished, or abandoned after STOP_GRACE seconds.
        """
        stop = stop or Stop()
        self._solo_crashes.clear()
        upcoming = TaskBuffer(tasks, ahead)
        while stop.seconds() < STOP_GRACE and (self._is_busy() or not (stop.is_requested() or upcoming.is_empty())):
            can_fetch = upcoming.can_fetch() and not stop.is_requested()
            results = self._collect(0 if can_fetch else RESULT_TIMEOUT)
            if can_fetch and not results:
                upcoming.fetch()
            self._dispatch_retries()
            if not stop.is_requested():
                self._dispatch_archive_tasks()
                while self._can_accept() and not stop.is_requested() and (task := upcoming.take()):
                    self._submit(task)
            yield results

    def close(self) -> None:
        """End the workers at once, whatever they are doing."""
        for worker in self._workers:
            worker.kill()
        for worker in self._workers:
            worker.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def start_worker(self) -> None:
        """Start one more worker."""
        self._workers.append(self._new_worker())

    def _new_worker(self) -> WorkerHandle:
        return self.handle(self._options, self._experiments, self._table, self._members, self._shares_analyses)

    def _is_busy(self) -> bool:
        return bool(self._retries or self._given_up) or any(worker.queue for worker in self._workers)

    def _can_start_worker(self) -> bool:
        """Whether one more worker is allowed and of use: all others are busy."""
        return len(self._workers) < self._max_workers and all(worker.queue for worker in self._workers)

    def _can_accept(self) -> bool:
        has_room = len(self._workers) < self._max_workers or any(len(worker.queue) < MAX_QUEUED_TASKS for worker in self._workers)
        return has_room and not self._retries

    def _submit(self, task: Task) -> None:
        """Send a new task to the worker with the shortest queue."""
        if self._can_start_worker():
            self.start_worker()
        min(self._workers, key=lambda worker: len(worker.queue)).send(task)
        if isinstance(task, ReadMembers):
            self._archives.add(task)

    def _dispatch_retries(self) -> None:
        """Retry on idle workers only, so that no other file dies with one that kills its worker."""
        for worker in self._workers:
            if self._retries and not worker.queue:
                worker.send(self._retries.popleft())

    def _dispatch_archive_tasks(self) -> None:
        """The archives that are being read come before new tasks."""
        while self._can_start_worker() and self._archives.has_shared_task():
            self.start_worker()
            self._send_archive_task(self._workers[-1])
        for worker in self._workers:
            while len(worker.queue) < MAX_QUEUED_TASKS and self._send_archive_task(worker):
                pass

    def _send_archive_task(self, worker: WorkerHandle) -> bool:
        task = self._archives.next_task(worker)
        if task:
            worker.send(task)
        return task is not None

    def _collect(self, timeout: float) -> list[Result]:
        """The results that have arrived; waits up to ``timeout`` seconds for the first one."""
        results, self._given_up = self._given_up, []
        for worker in self._workers:
            worker.send_rest()
        by_descriptor = {worker.pipe.fileno(): worker for worker in self._workers}
        for descriptor in wait([worker.pipe for worker in self._workers], 0 if results else timeout):
            worker = by_descriptor[descriptor]
            try:
                answer = worker.receive()
            except (EOFError, OSError):
                self._handle_exit(worker)
                continue
            self._failed_starts = 0
            if answer is None:
                continue
            task, message = answer
            result = Result.from_message(message, task)
            if not isinstance(task, AnalyzeFiles | AnalyzeItems):
                assert result.report
                self._archives.answered(task, result.report, worker)
            results.append(result)
        self._kill_late_workers()
        return results

    def _kill_late_workers(self) -> None:
        now = time.monotonic()
        if now < self._next_timeout_check:
            return
        self._next_timeout_check = now + TIMEOUT_CHECK_INTERVAL
        seconds = self._options.file_timeout
        for worker in list(self._workers):
            if worker.heartbeat.items_started:
                limit, reason = seconds, f"analysis took more than {seconds:g} seconds"
            else:  # Python may take longer to start than a file may take: each such start in a row gives the next one twice the time
                limit = seconds * 2**self._failed_starts
                reason = f"a worker did not begin within {limit:g} seconds"
            if worker.is_late(limit):
                worker.kill()
                self._handle_exit(worker, reason)

    def _handle_exit(self, worker: WorkerHandle, reason: str = "") -> None:
        """Replace a worker that has died, and schedule its tasks again. ``reason`` tells why it was killed, if it was."""
        cause = worker.wait()
        event("retry", reason=reason or f"a worker ended: {cause}", files=sum(map(item_count, worker.queue)))
        self._failed_starts = 0 if worker.heartbeat.items_started else self._failed_starts + 1
        if self._failed_starts > MAX_FAILED_STARTS:
            raise MidioptError(f"worker processes end during start-up ({cause}); see their errors above")
        self._workers[self._workers.index(worker)] = replacement = self._new_worker()
        self._archives.reassign(worker, replacement)
        if not worker.queue:
            return
        first, *others = worker.queue
        self._retries.extend(others)
        index = worker.current_index()
        if not 0 <= index < item_count(first):  # it had not begun the task
            self._retries.append(first)
        elif isinstance(first, AnalyzeFiles | AnalyzeItems):
            self._retry_files(first, index, reason or f"the worker process crashed: {cause}")
        else:
            self._retry_archive_task(first, worker, reason or f"the worker process crashed: {cause}")

    def _retry_files(self, task: AnalyzeFiles | AnalyzeItems, index: int, reason: str) -> None:
        """Retry the file at which a worker died alone, and the others without it."""
        alone, others = task.split_at(index)
        if item_count(others):
            self._retries.append(others)
        else:
            item = alone.paths[0] if isinstance(alone, AnalyzeFiles) else alone.numbers[0]
            if self._has_crashed_too_often(item, MAX_SOLO_CRASHES):
                path = item if isinstance(item, bytes) else b""
                self._given_up.append(Result.from_message(crashed_row_message(path, reason), alone))
                return
        self._retries.append(alone)

    def _retry_archive_task(self, task: ArchiveTask, worker: WorkerHandle, reason: str) -> None:
        """Retry the member at which a worker died in a task of its own, and the others in theirs."""
        number, part, path = worker.heartbeat.member
        if isinstance(task, ReadMembers) and len(tasks := task.split_around(number, part)) > 1:
            self._archives.split(task, len(tasks))
            self._retries.extendleft(reversed(tasks))
        elif self._has_crashed_too_often(task, MAX_SOLO_CRASHES + 1):  # the first time it was not alone with its worker
            self._archives.given_up(task)
            is_member = isinstance(task, ReadMembers) and task.members.is_single_part
            report = ArchiveReport.of_crash(is_member).encode()
            self._given_up.append(Result.from_message(crashed_row_message(path, reason, report), task))
        else:
            self._retries.append(task)

    def _has_crashed_too_often(self, item: bytes | int | ArchiveTask, limit: int) -> bool:
        self._solo_crashes[item] += 1
        return self._solo_crashes[item] == limit
