"""The run: find files, deal them to workers, write what comes back.

    python -m midiopt.orchestrator SOURCE [SOURCE ...] [--db URL]

The parent is one event loop over three overlapping stages with bounded work in hand. It walks, deals
chunks and hands batches to the sink; the workers read and analyse. While nothing has come back it walks ahead, up to a
bound, so that the time left can be told early.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import time
from collections import deque
from collections.abc import Iterator, Sequence

import numpy as np

from midiopt.core import build
from midiopt.errors import SinkError, Stopped
from midiopt.limits import FILE_TIMEOUT, MAX_EVENTS, MAX_FILE_BYTES
from midiopt.pipeline.allocator import preload
from midiopt.pipeline.file_index import Known
from midiopt.pipeline.hash_table_writer import Told
from midiopt.pipeline.options import BATCH_SIZE, DATABASE, usable_cores
from midiopt.pipeline.pool import Pool, Settings
from midiopt.pipeline.prune import Gone
from midiopt.pipeline.signals import Stop, stop_on_signals
from midiopt.pipeline.summary import NoProgress, Progress, Summary
from midiopt.pipeline.tasks import ArchiveReport, Task, tasks_for
from midiopt.rows.batch import Batch
from midiopt.rows.decode import row_to_dict
from midiopt.rows.validate import validate
from midiopt.rows.wire import note_of
from midiopt.run_log import anyone_listens, event, logged
from midiopt.schema import FILES, OK, OPENED, STATUSES
from midiopt.sinks import TIMEOUT, WRITERS, open_sink
from midiopt.sinks.base import Database, RunJournal
from midiopt.sinks.urls import without_password
from midiopt.sources.paths import path_text
from midiopt.sources.walk import Source

MOST_WAITING = 32 << 20  # bytes of rows held, however few the files
WALKED_AHEAD = 800  # chunks found and not yet dealt: 100,000 paths, about 15 MB
LONGEST_END = 5.0  # seconds that workers get, after a signal, for the chunks they have in hand


def run(
    sources: Sequence[str | os.PathLike[str]],
    db: str | os.PathLike[str] = DATABASE,
    workers: int | None = None,
    batch_size: int = BATCH_SIZE,
    reader: str = "read",
    allocator: str = "system",
    writers: int = WRITERS,
    warm: bool = True,
    sink_timeout: float = TIMEOUT,
    follow_links: bool = False,
    file_timeout: float = FILE_TIMEOUT,
    max_file_bytes: int = MAX_FILE_BYTES,
    max_events: int = MAX_EVENTS,
    keep_old: bool = False,
    prune: bool = False,
    log: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Analyse all files of ``sources`` into the database ``db``; returns a Summary.

    ``sources`` are files, folders and @lists. Files that are unchanged since an earlier run into the
    same database are skipped. SIGINT and SIGTERM end the run early with everything analysed so far
    written (``Summary.interrupted`` is then the signal); a second one raises KeyboardInterrupt.

    With ``follow_links`` a link in a folder is taken for what it leads to. A file that kills its worker three
    times, or takes more than ``file_timeout`` seconds, is `crashed`; one of more than ``max_file_bytes`` or
    ``max_events`` is `rejected`. Files that an older analyser settled are analysed again unless ``keep_old``.
    Rows of files that are gone stay unless ``prune``. ``log`` names a file to which events and files that are
    not ok are appended, a JSON object a line. ``progress`` is told how far the run is.

    ``reader`` (a key of reader.READERS) and ``allocator`` (of allocator.ALLOCATORS) are there to be measured.
    ``writers`` batches at a time are committed by PostgreSQL; ``warm=False`` opens a connection for each,
    to be measured too. A database that is away, or locked by another program, is waited for ``sink_timeout`` seconds.

    Raises SourceError for a source that does not exist, SinkError when the database cannot be opened
    or written, DatabaseBusy when another run has it.
    """
    options = {name: value for name, value in locals().items() if name not in ("sources", "db", "progress")}
    if workers is not None and workers < 1:
        raise ValueError(f"{workers} workers can do nothing; at least 1")
    if writers < 1:
        raise ValueError(f"{writers} writers can write nothing; at least 1")
    db = os.fspath(db)
    settings = Settings(reader, allocator, file_timeout, max_file_bytes, max_events)
    preload(allocator)  # before anything is made
    source = Source.of([sources] if isinstance(sources, (str, os.PathLike)) else sources, follow_links)
    start = time.monotonic()
    options["log"] = None if log is None else os.fspath(log)
    stop = Stop()
    with (
        logged(log, source.problems),
        open_sink(db, writers, warm, sink_timeout, lambda: bool(stop)) as sink,
        stop_on_signals(stop),
    ):
        with _recorded(sink, source, without_password(db), options) as summary:
            with contextlib.suppress(Stopped):
                with contextlib.closing(sink.iter_files(keep_old)) as pages:
                    known = Known(pages)
                if len(known):
                    source.known = known
                gone = Gone(sink, known, prune, lambda: bool(stop))
                with (
                    contextlib.closing(Told()) as told,
                    contextlib.closing(Pool(workers or usable_cores(), settings, told)) as pool,
                ):
                    _Run(source, sink, progress or NoProgress(), stop, pool, told, gone, batch_size, summary).go()
                if not stop:
                    try:
                        gone.below(source.roots)
                    finally:
                        summary.gone = gone.count
                    summary.duplicates = sink.finalize()
            summary.interrupted = stop.signal
            summary.seconds = time.monotonic() - start
            summary.files_per_second = summary.analysed / summary.seconds
        sink.close()
    return summary


@contextlib.contextmanager
def _recorded(sink: RunJournal, source: Source, database: str, options: dict[str, object]) -> Iterator[Summary]:
    """The run's row in the table ``runs``: begun here, and completed with the Summary however the run ends."""
    about = {"version": build.version, "build": build.mode, "sources": [path_text(root) for root in source.roots]}
    sink.start_run({"started": dt.datetime.now(dt.UTC), **about, "options": json.dumps(options)})
    event("start", database=database, **about, options=options)
    summary = Summary()
    try:
        yield summary
    except BaseException as problem:
        stopped = isinstance(problem, KeyboardInterrupt)
        with contextlib.suppress(SinkError):  # where the database is the problem, the next run says `killed`
            _end(sink, "interrupted" if stopped else "failed", None if stopped else str(problem), summary, timeout=0)
        raise
    _end(sink, "interrupted" if summary.interrupted else "finished", None, summary)


def _end(sink: RunJournal, outcome: str, error: str | None, summary: Summary, timeout: float | None = None) -> None:
    names = ("files", *STATUSES, "skipped", "gone", "duplicates", "bytes", "seconds")
    facts = {"outcome": outcome, "error": error, **{name: getattr(summary, name) for name in names}}
    event("end", **facts)
    sink.end_run({"ended": dt.datetime.now(dt.UTC), **facts}, timeout)


class _Run:
    def __init__(
        self,
        source: Source,
        sink: Database,
        progress: Progress,
        stop: Stop,
        pool: Pool,
        told: Told,
        gone: Gone,
        batch_size: int,
        summary: Summary,
    ) -> None:
        self.source = source
        self.sink = sink
        self.progress = progress
        self.stop = stop
        self.pool = pool
        self.told = told
        self.gone = gone
        self.batch_size = batch_size
        self.contents = sink.iter_content_hashes()  # asked for when there is work
        self.ahead: deque[Task] = deque()
        self.waiting: list[Batch] = []  # received and not yet written
        self.waiting_files = self.waiting_bytes = 0
        self.members = self.appledouble = 0  # of archives: rows, and what was passed over
        self.summary = summary

    def go(self) -> None:
        started = time.monotonic()
        tasks = tasks_for(self.source.chunks())
        pool = self.pool
        while not self.stop or (pool.busy() and time.monotonic() < self.stop.since + LONGEST_END):
            while not self.stop and pool.has_room() and (task := self._next(tasks)):
                self._deal(task)
            if not pool.busy() and (self.stop or self.source.exhausted):
                break
            if self._is_full():
                self._write()
            can_walk = not self.stop and not self.source.exhausted and len(self.ahead) < WALKED_AHEAD
            messages = pool.collect(0 if can_walk else 0.5)
            for message in messages:
                self._receive(message)
            if not messages and can_walk and (task := next(tasks, None)):
                self.ahead.append(task)
            total = self.source.found + self.members if self.source.exhausted else None
            self.progress.update(self._tally(), time.monotonic() - started, total)
        if self.waiting:
            self._write()
        self.sink.flush()
        self.summary.problems = self.source.problems
        self.summary.steady_seconds = time.monotonic() - started
        self._tally()

    def _deal(self, task: Task) -> None:
        """Give a task to the workers. Before the first they are told what the database has: most runs find nothing new."""
        with contextlib.closing(self.contents) as pages:  # nothing comes a second time
            for digests in pages:
                self.told.add(np.frombuffer(digests, "u1").reshape(-1, 16))
        self.pool.deal(task)

    def _next(self, tasks: Iterator[Task | None]) -> Task | None:
        return self.ahead.popleft() if self.ahead else next(tasks, None)

    def _receive(self, message: bytes) -> None:
        batch = Batch.from_bytes(message)
        if report := ArchiveReport.decode(note_of(message)):
            self.members += report.members
            self.appledouble += report.appledouble
            if report.is_finish:  # an archive counts as done only with all its members
                if self.waiting:
                    self._write()
                self.sink.flush()
            batch = self.gone.of_archive(batch, report.has_archive_row)
        self.waiting.append(batch)
        self.waiting_files += len(batch)
        self.waiting_bytes += len(message)
        self._count(batch, 1)
        self.summary.bytes += int(batch.files["size_bytes"][batch.files["status"] != OPENED].sum())

    def _count(self, batch: Batch, sign: int) -> None:
        statuses = np.minimum(batch.files["status"], len(STATUSES))
        for status, count in zip(STATUSES, np.bincount(statuses, minlength=len(STATUSES) + 1), strict=False):
            setattr(self.summary, status, getattr(self.summary, status) + sign * int(count))

    def _is_full(self) -> bool:
        return self.waiting_files >= self.batch_size or self.waiting_bytes > MOST_WAITING

    def _write(self) -> None:
        received = Batch.concat(self.waiting)
        batch = validate(received)
        if batch is not received:
            self._count(received, -1)
            self._count(batch, 1)
        self.sink.write(batch)  # while it has no room workers fill their pipes, and wait
        self.told.add(batch.files["content_hash"][batch.files["status"] == OK])
        if anyone_listens():
            _tell(batch)
        self.waiting, self.waiting_files, self.waiting_bytes = [], 0, 0

    def _tally(self) -> Summary:
        self.summary.files = self.source.found + self.members
        self.summary.skipped = self.source.skipped
        self.summary.gone = self.gone.count
        self.summary.appledouble = self.source.appledouble + self.appledouble
        return self.summary


def _tell(batch: Batch) -> None:
    """The events of a batch that was written: its files that are not ok, and the batch."""
    for row in batch.files[~np.isin(batch.files["status"], (OK, OPENED))]:
        facts = row_to_dict(FILES, row, batch.heap)
        event("file", **{name: facts[name] for name in ("path", "status", "error", "size_bytes")})
    event("batch", files=len(batch), contents=len(batch.analyses))
