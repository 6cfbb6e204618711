"""midiopt.analyze_many: the facts of many files from worker processes, without a database."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import closing

from midiopt.api.analysis import Analysis, build_analysis
from midiopt.api.source import Source
from midiopt.errors import over_limit
from midiopt.limits import MAX_FILE_BYTES
from midiopt.many.failure import Failure
from midiopt.many.items import UNENCODABLE, bytes_of, check_many, numbered, source_of
from midiopt.pipeline.cores import available_cores
from midiopt.pipeline.hash_table_writer import SharedHashTableWriter
from midiopt.pipeline.new_files import FILES_PER_TASK
from midiopt.pipeline.options import RunOptions
from midiopt.pipeline.pool import MAX_QUEUED_TASKS, Result, WorkerPool
from midiopt.pipeline.tasks import AnalyzeItems
from midiopt.rows.batch import Batch
from midiopt.rows.decode import row_to_values, text_of
from midiopt.rows.validate import validate
from midiopt.schema import ANALYSES, REJECTED, STATUSES, UNREADABLE

MAX_TASK_BYTES = 1 << 20  # of contents; one that is larger has a task of its own
MAX_TASK_SECONDS = 0.05  # that the first item of a task waits for the others
GROWTH = 16  # the first tasks are small, so that few files are enough for all workers, and the first results come soon
WAIT = 0.002  # seconds between looks at an item that others wait for


def analyze_many(sources: Iterable[Source], *, workers: int | None = None, ordered: bool = True) -> Iterator[Analysis | Failure]:
    """The facts of many files, each given like that of analyze(), while worker processes analyse the next ones.

    Each file gives one result, also one of several with the same content: an Analysis, or a Failure for one that cannot be read or used,
    or whose worker crashed or took too long (as in a run, the others go on). ``source`` of a result is its path, or the place of content
    among ``sources``. Results come in the order of the files, or with ``ordered=False`` as they are ready. ``workers`` is the number of
    processes, by default one per available core.

    ``sources`` may be a generator: it is read as results are taken, a few thousand files ahead at most, so memory does not grow with
    their number. Close the iterator, or let go of it, to end the workers early. Raises TypeError for a single file, and ValueError for an
    invalid number of workers; what ``sources`` raises ends the iteration.
    """
    check_many(sources, "analyze")
    return _Analyses(sources, RunOptions(workers=workers), ordered).results()


class _Analyses:
    """One call of analyze_many."""

    def __init__(self, sources: Iterable[Source], options: RunOptions, ordered: bool) -> None:
        self._sources = sources
        self._options = options
        self._ordered = ordered
        # More than the workers can have at once, so that they wait for no file but a very slow one.
        self._max_ahead = 2 * MAX_QUEUED_TASKS * FILES_PER_TASK * (options.workers or available_cores())
        self._names: dict[int, str | int] = {}  # of the items that have no result yet
        self._done: dict[int, Analysis | Failure] = {}  # results that wait for earlier ones
        self._next = 0  # the number of the next result

    def results(self) -> Iterator[Analysis | Failure]:
        """The results."""
        with closing(SharedHashTableWriter()) as table, WorkerPool(self._options, table) as pool:
            for answers in pool.run(self._tasks(), ahead=1):
                for answer in answers:
                    self._receive(answer)
                yield from self._ready()

    def _ready(self) -> Iterator[Analysis | Failure]:
        if not self._ordered:
            done, self._done = self._done, {}
            yield from done.values()
        while self._next in self._done:
            self._next += 1
            yield self._done.pop(self._next - 1)

    def _tasks(self) -> Iterator[AnalyzeItems | None]:
        """Consecutive items of a kind; None while the results of too many wait for an earlier one."""
        task, size, started = _task(are_contents=False), 0, 0.0
        for number, source in numbered(self._sources):
            name = source_of(number, source)
            are_contents = isinstance(name, int)
            try:
                item = bytes_of(source) if are_contents else _absolute(source)
            except UnicodeEncodeError:
                self._done[number] = Failure(name, STATUSES[UNREADABLE], UNENCODABLE)
                continue
            if are_contents and len(item) > MAX_FILE_BYTES:
                self._done[number] = Failure(name, STATUSES[REJECTED], over_limit(len(item), MAX_FILE_BYTES))
                continue
            if task.items and (task.are_contents != are_contents or size + len(item) > MAX_TASK_BYTES):
                yield task
                task = _task(are_contents)
            if not task.items:
                task, size, started = _task(are_contents), 0, time.monotonic()
            self._names[number] = name
            task.items.append(item)
            task.numbers.append(number)
            size += len(item)
            if len(task.items) > min(number // GROWTH, FILES_PER_TASK - 1) or time.monotonic() - started > MAX_TASK_SECONDS:
                yield task
                task = _task(are_contents)
                while self._ordered and number - self._next > self._max_ahead:
                    time.sleep(WAIT)
                    yield None
        if task.items:
            yield task

    def _receive(self, answer: Result) -> None:
        """Take the results of a task. An analysis is found by its hash: of equal contents, each has one."""
        assert isinstance(answer.task, AnalyzeItems)
        batch = validate(Batch.from_bytes(answer.message))
        analyses = dict(zip(map(bytes, batch.analyses["content_hash"]), batch.analyses, strict=True))
        for number, file in zip(answer.task.numbers, batch.files, strict=True):
            name, status, error = self._names.pop(number), STATUSES[file["status"]], text_of(file, "error", batch.heap)
            row = analyses.get(bytes(file["content_hash"]))
            if row is None:
                self._done[number] = Failure(name, status, error or "")
            else:
                self._done[number] = build_analysis([*row_to_values(ANALYSES, row, batch.heap), status, error, name])


def _task(are_contents: bool) -> AnalyzeItems:
    return AnalyzeItems([], are_contents, [])


def _absolute(path: str | os.PathLike[str]) -> bytes:
    """The path from the root: the caller may change the folder before a worker opens it."""
    name = os.fsencode(path)
    return name if not name or name.startswith(b"/") else os.path.join(os.getcwdb(), name)
