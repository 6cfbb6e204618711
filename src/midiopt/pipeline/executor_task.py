"""What an executor runs on its workers: a function of bytes that returns bytes, or writes rows and returns less of them.

Each thread of a worker has a worker process of midiopt, as a local run has, so a file that kills or hangs it is found and retried
in the task itself, and neither a worker of the executor nor another file is lost. The process stays for the next task, and is ended
after IDLE_TIMEOUT seconds without one. Starting one for every task would take 0.1 s each time.
"""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass
from itertools import chain

from midiopt.core import build
from midiopt.errors import MidioptError
from midiopt.pipeline.experiments import Experiments
from midiopt.pipeline.hash_table_writer import SharedHashTableWriter
from midiopt.pipeline.options import RunOptions
from midiopt.pipeline.pool import WorkerPool
from midiopt.pipeline.shard_scheduler import OneRange
from midiopt.pipeline.tasks import FinishArchive, ReadMembers, decode_task
from midiopt.schema import ANALYZER_VERSION, SCHEMA_VERSION

IDLE_TIMEOUT = 30.0
VERSIONS = (build.version, ANALYZER_VERSION, SCHEMA_VERSION)


@dataclass(frozen=True, slots=True)
class TaskSettings:
    """What is the same for all tasks of a run."""

    options: str  # RunOptions as JSON
    experiments: Experiments
    content_key: bytes
    parts_folder: str | None = None  # into which tasks write their rows, see sinks/parquet.py
    versions: tuple[object, ...] = VERSIONS

    @classmethod
    def of(cls, options: RunOptions, experiments: Experiments, content_key: bytes, parts_folder: str | None = None) -> TaskSettings:
        """The settings of a run, without what concerns the driver alone."""
        return cls(json.dumps(asdict(options) | {"workers": 1, "log": None}), experiments, content_key, parts_folder)


@dataclass(frozen=True, slots=True, repr=False)
class ExecutorTask:
    """Some tasks of tasks.py, encoded. It is pickled, which nothing else is, because executors pickle.

    Its text has neither the paths nor the key of the content hashes: an executor may write it to a log.
    """

    settings: TaskSettings
    tasks: tuple[bytes, ...]

    def __repr__(self) -> str:
        return f"<{len(self.tasks)} tasks of midiopt>"


class _Process:
    """A worker process and what it needs, for tasks with the same settings."""

    def __init__(self, settings: TaskSettings) -> None:
        self.settings = settings
        self._table = SharedHashTableWriter(settings.content_key)
        options = RunOptions(**json.loads(settings.options))
        # No answer may refer to an analysis in another one, which may get lost.
        self._pool = WorkerPool(options, self._table, settings.experiments, shares_analyses=False, archives=OneRange())

    def run(self, tasks: tuple[bytes, ...]) -> list[list[bytes]]:
        """The messages that answer the task of each archive, as the worker sent them; of tasks of files, all with the first one."""
        decoded = list(map(decode_task, tasks))
        answers: list[list[bytes]] = [[] for _ in decoded]
        numbers = {task.path: i for i, task in enumerate(decoded) if isinstance(task, ReadMembers | FinishArchive)}
        for results in self._pool.run(iter(decoded)):
            for result in results:
                number = numbers[result.task.path] if isinstance(result.task, ReadMembers | FinishArchive) else 0
                answers[number].append(result.message)
        return answers

    def close(self) -> None:
        """End the worker process."""
        self._pool.close()
        self._table.close()


class _Slot:
    """The worker process of one thread. The system ends it with that thread, which has started it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: _Process | None = None
        self._timer: threading.Timer | None = None

    def run(self, task: ExecutorTask) -> list[list[bytes]]:
        """The messages that answer the tasks."""
        if self._timer:
            self._timer.cancel()
        with self._lock:
            if self._process and self._process.settings != task.settings:
                self._end()
            self._process = self._process or _Process(task.settings)
            try:
                messages = self._process.run(task.tasks)
            except BaseException:
                self._end()
                raise
        self._timer = threading.Timer(IDLE_TIMEOUT, self._end_idle)
        self._timer.daemon = True
        self._timer.start()
        return messages

    def _end_idle(self) -> None:
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._process:
            self._process.close()
            self._process = None


_slots = threading.local()


def run_task(task: ExecutorTask) -> tuple[list[list[bytes]], str | None]:
    """The messages that answer each of the tasks, and in which file their rows are, if the messages have them without their analyses.

    Raises MidioptError where another version of midiopt is installed, or none can run, and SinkError where the rows cannot be written.
    """
    if task.settings.versions != VERSIONS:
        raise MidioptError(f"a worker of the executor has midiopt {_text(VERSIONS)}, and the run {_text(task.settings.versions)}")
    if not hasattr(_slots, "of_this_thread"):
        _slots.of_this_thread = _Slot()
    slot: _Slot = _slots.of_this_thread
    answers, folder = slot.run(task), task.settings.parts_folder
    if folder is None:
        return answers, None
    from midiopt.pipeline.part_task import MIN_PART_ROWS, row_count, write_rows

    return write_rows(answers, folder) if sum(map(row_count, chain(*answers))) >= MIN_PART_ROWS else (answers, None)


def _text(versions: tuple[object, ...]) -> str:
    version, analyzer, schema = versions
    return f"{version} (analyser {analyzer}, schema {schema})"
