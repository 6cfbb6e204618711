"""The worker process: tasks in, rows out.

Started as ``python -m midiopt.pipeline.worker ARGUMENTS`` (worker_arguments.py). Tasks (tasks.py) arrive on
the pipe, and messages with rows (wire.py) go back. A shared-memory heartbeat names the current file, so that a crash or hang
can be attributed to it. The worker ends when the pipe closes, and is killed when the parent dies. It loads neither numpy nor a
database driver, so it starts in a tenth of a second.
"""

from __future__ import annotations

import mmap
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from midiopt.core.analyzer import Analyzer
from midiopt.kinds import INT64
from midiopt.limits import MAX_EVENTS, MAX_FILE_BYTES
from midiopt.pipeline.hash_table import SharedHashTable
from midiopt.pipeline.heartbeat import HEARTBEAT_BYTES, Heartbeat
from midiopt.pipeline.items import Item, content_items, file_items, not_regular_items, object_items, path_items
from midiopt.pipeline.message_pipe import WorkerPipe
from midiopt.pipeline.sampling import ALL_PATHS, PathSample
from midiopt.pipeline.signals import STOP_SIGNALS
from midiopt.pipeline.tasks import AnalyzeFiles, AnalyzeItems, FinishArchive, ReadMembers, Task, decode_task
from midiopt.pipeline.worker_arguments import WorkerArguments
from midiopt.rows.builder import Outcome, RowBuilder, analyze_bytes, content_hasher, crashed_outcome
from midiopt.schema import OK
from midiopt.sources.archives.limits import DEFAULT_LIMITS, ArchiveLimits
from midiopt.sources.paths import SLASH
from midiopt.sources.readers import READERS
from midiopt.sources.system import end_with
from midiopt.sources.urls import is_url

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

    from midiopt.pipeline.archive_worker import ArchiveReader
    from midiopt.sources.objects import ObjectReader

MAX_RECENT_HASHES = 20_000  # about 2 MB: ten batches of the default size


class Worker:
    """Turns tasks into messages. Owns one reader and one analyser, and with them all memory that files need.

    ``known_hashes`` are those of content that needs no analysis, ``sample`` says which archive members to analyse,
    ``content_key`` is the key of the database's content hashes, and ``tracks`` says whether to make rows of tracks, too.
    Unless ``shares_analyses``, each message has the analyses of all its files.
    """

    def __init__(
        self,
        reader: str = "ahead",
        max_file_bytes: int = MAX_FILE_BYTES,
        max_events: int = MAX_EVENTS,
        heartbeat: Heartbeat | None = None,
        known_hashes: SharedHashTable | tuple[()] = (),
        sample: PathSample = ALL_PATHS,
        archive_limits: ArchiveLimits = DEFAULT_LIMITS,
        content_key: bytes = b"",
        tracks: bool = False,
        shares_analyses: bool = True,
    ) -> None:
        self._reader = READERS[reader](max_file_bytes)
        self._analyzer = Analyzer(max_events)
        self._heartbeat = heartbeat or Heartbeat()
        self._content_hash = content_hasher(content_key)
        self._known_hashes = known_hashes
        self._tracks = tracks
        self._shares_analyses = shares_analyses
        self._sample = sample
        self._max_file_bytes = max_file_bytes
        self._archive_limits = archive_limits._replace(max_file_bytes=max_file_bytes)
        self._archive_reader: ArchiveReader | None = None
        self._objects: ObjectReader | None = None
        self.recent_hashes: set[bytes] = set()  # of content that was `ok` here and may not be among the known ones yet

    def close(self) -> None:
        """Close the archives that are open between tasks."""
        if self._archive_reader:
            self._archive_reader.close()

    def expect(self, task: Task) -> None:
        """Announce a task that will be processed after those announced before: its files may be read meanwhile."""
        if isinstance(task, AnalyzeFiles) and task.are_regular:
            if any(path[0] != SLASH for path in task.paths):
                self._object_reader().expect(filter(is_url, task.paths))
            else:
                self._reader.expect(task.paths)
        elif isinstance(task, AnalyzeItems) and not task.are_contents:
            self._reader.expect(task.items)

    def process(self, task: Task) -> bytes:
        """The message that answers a task."""
        if isinstance(task, AnalyzeItems):
            return self._analyze_items(task)
        if not isinstance(task, AnalyzeFiles):
            return self._process_archive_task(task)
        if not task.are_regular:
            return self._make_rows(not_regular_items(task.paths, self._heartbeat), RowBuilder(self._tracks)).message()
        return self.analyze_files(task.paths)

    def analyze_files(self, paths: Iterable[bytes]) -> bytes:
        """The message with a ``files`` row per path, and ``analyses`` rows of their content."""
        return self._make_rows(self._file_items(paths), RowBuilder(self._tracks)).message()

    def _file_items(self, paths: Iterable[bytes]) -> Iterator[Item]:
        """From disk; one URL among the paths takes the way of all others, which costs a file more than on the short way."""
        paths = list(paths)
        heartbeat = self._heartbeat
        if all(path[0] == SLASH for path in paths):
            return file_items(paths, self._reader, self._max_file_bytes, heartbeat)
        local = partial(file_items, reader=self._reader, max_bytes=self._max_file_bytes, heartbeat=heartbeat)
        return object_items(paths, self._object_reader(), local, self._max_file_bytes, heartbeat)

    def _object_reader(self) -> ObjectReader:
        if self._objects is None:
            from midiopt.sources.objects import ObjectReader  # which most workers never need

            self._objects = ObjectReader(self._max_file_bytes)
        return self._objects

    def rows_of(self, items: Iterable[Item]) -> bytes:
        """The message with a ``files`` row per item, and ``analyses`` rows of their content."""
        return self._make_rows(items, RowBuilder(self._tracks)).message()

    def _analyze_items(self, task: AnalyzeItems) -> bytes:
        if task.are_contents:
            items = content_items(task.items, self._max_file_bytes, self._heartbeat)
        else:
            items = path_items(task.items, self._reader, self._max_file_bytes, self._heartbeat)
        return self._make_rows(items, RowBuilder(self._tracks), self._analyze_copy).message()

    def _process_archive_task(self, task: ReadMembers | FinishArchive) -> bytes:
        if self._archive_reader is None:
            from midiopt.pipeline.archive_worker import ArchiveReader  # 10 ms and 1.3 MB that most workers never need

            self._archive_reader = ArchiveReader(self._heartbeat, self._sample, self._archive_limits)
        rows = RowBuilder(self._tracks)
        self._make_rows(self._archive_reader.items(task, rows), rows)
        return rows.message(self._archive_reader.report.encode())

    def _make_rows(
        self, items: Iterable[Item], rows: RowBuilder, analyze: Callable[[Buffer, RowBuilder], Outcome] | None = None
    ) -> RowBuilder:
        """Append the rows of files or archive members. An unexpected exception costs one file its facts, and not the worker."""
        now_us = time.time_ns() // 1000
        heartbeat = self._heartbeat
        analyze = analyze or self._analyze
        if not self._shares_analyses:
            self.recent_hashes.clear()
        for path, size, mtime_ns, data, status, error in items:
            sizes = rows.sizes()
            try:
                outcome = analyze(data, rows) if data is not None else Outcome(status, error=error)
                duration_us = (time.monotonic_ns() - heartbeat.started_at) // 1000
                rows.add_file(path, size, mtime_ns, outcome, now_us, duration_us)
            except Exception as problem:
                rows.truncate(*sizes)
                self.recent_hashes.clear()  # the content may be among them, and its analysis was just removed
                size, mtime_ns = (number if INT64.low <= number <= INT64.high else 0 for number in (size, mtime_ns))
                rows.add_file(path, size, mtime_ns, crashed_outcome(problem), now_us)
        return rows

    def _analyze(self, data: Buffer, rows: RowBuilder) -> Outcome:
        """Analyse content, unless an identical copy was `ok`.

        A copy that was analysed by this worker has its row in this message or an earlier one, and the messages of one worker
        are written in order.
        """
        digest = self._content_hash(data)
        if digest in self.recent_hashes or digest in self._known_hashes:
            return Outcome(OK, digest)
        outcome = analyze_bytes(self._analyzer, data, digest, rows)
        if outcome.status == OK:
            if len(self.recent_hashes) == MAX_RECENT_HASHES:
                self.recent_hashes.clear()
            self.recent_hashes.add(digest)
        return outcome

    def _analyze_copy(self, data: Buffer, rows: RowBuilder) -> Outcome:
        """Analyse content, whether or not it is known."""
        return analyze_bytes(self._analyzer, data, self._content_hash(data), rows)


def serve(pipe: WorkerPipe, worker: Worker) -> None:
    """Answer tasks until the pipe closes. All that have arrived are taken from it, so that their files can be read ahead."""
    tasks: deque[Task] = deque()
    while True:
        try:
            while not tasks or pipe.poll():
                tasks.append(decode_task(pipe.recv_bytes()))
                worker.expect(tasks[-1])
            pipe.send_bytes(worker.process(tasks.popleft()))
        except (EOFError, ConnectionError):
            return


def main() -> None:
    """Run as a worker process until the pipe closes."""
    arguments = WorkerArguments.from_json(sys.argv[1])
    end_with(arguments.parent)  # even in the middle of a file: the pipe is only read between tasks
    for number in STOP_SIGNALS:  # they may reach the whole process group; the parent decides
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)  # blocked by the parent until here
    options = arguments.options
    heartbeat = Heartbeat(mmap.mmap(arguments.heartbeat, HEARTBEAT_BYTES))
    table = SharedHashTable(arguments.hash_table)
    limits = options.max_file_bytes, options.max_events
    worker = Worker(
        arguments.reader,
        *limits,
        heartbeat,
        table,
        arguments.members,
        DEFAULT_LIMITS._replace(column=options.column),
        content_key=table.content_key,
        tracks=options.tracks,
        shares_analyses=arguments.shares_analyses,
    )
    serve(WorkerPipe(arguments.pipe), worker)


if __name__ == "__main__":
    main()
