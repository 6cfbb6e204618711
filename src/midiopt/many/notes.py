"""midiopt.notes_many: the notes of many files, which threads read while the caller works."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING

from midiopt.api.one_file import Notes
from midiopt.api.source import Source, content_of
from midiopt.errors import MidiError, MidioptError
from midiopt.limits import check_option
from midiopt.many.failure import Failure
from midiopt.many.items import UNENCODABLE, bytes_of, check_many, numbered, source_of
from midiopt.pipeline.cores import available_cores
from midiopt.schema import REJECTED, STATUSES, UNREADABLE
from midiopt.sources.sniff import with_detected_type

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

FILES_PER_TASK = 32  # a thread takes 20 us to hand over a task, as long as the notes of a file take
TASKS_PER_THREAD = 2


def notes_many(sources: Iterable[Source], *, workers: int | None = None) -> Iterator[Notes | Failure]:
    """The notes of many files, each given like that of notes(), in the order of the files: a Notes, or a Failure for one without.

    ``workers`` threads, by default one per available core, read files ahead, at most 64 each; with one, the caller's thread reads each
    file when it is asked for. Raises TypeError for a single file, and ValueError for an invalid number of workers.
    """
    check_many(sources, "notes")
    try:
        check_option("workers", workers)
    except ValueError as problem:
        raise ValueError(f"workers {problem}") from None
    numbered = ((name, source if isinstance(name, str) else bytes_of(source)) for name, source in _named(sources))
    threads = workers or available_cores()
    return (_notes(name, source) for name, source in numbered) if threads == 1 else _by_threads(numbered, threads)


Item = tuple[str | int, "Source"]


def _named(sources: Iterable[Source]) -> Iterator[Item]:
    for number, source in numbered(sources):
        yield source_of(number, source), source


def _by_threads(items: Iterator[Item], threads: int) -> Iterator[Notes | Failure]:
    tasks: deque[Future[list[Notes | Failure]]] = deque()
    executor = ThreadPoolExecutor(threads, "midiopt-notes")
    try:
        while True:
            while len(tasks) < threads * TASKS_PER_THREAD and (part := list(islice(items, FILES_PER_TASK))):
                tasks.append(executor.submit(_task, part))
            if not tasks:
                return
            yield from tasks.popleft().result()
    finally:
        executor.shutdown(cancel_futures=True)


def _task(items: list[Item]) -> list[Notes | Failure]:
    return [_notes(name, source) for name, source in items]


def _notes(name: str | int, source: Source) -> Notes | Failure:
    data: Buffer = b""
    try:
        data = content_of(source)
        return Notes(data)
    except MidiError as problem:
        return Failure(name, STATUSES[REJECTED], str(with_detected_type(problem, data)))
    except OSError as problem:
        return Failure(name, STATUSES[UNREADABLE], problem.strerror or str(problem))
    except UnicodeEncodeError:
        return Failure(name, STATUSES[UNREADABLE], UNENCODABLE)
    except (MidioptError, MemoryError) as problem:
        return Failure(name, STATUSES[UNREADABLE], str(problem) or "not enough memory")
