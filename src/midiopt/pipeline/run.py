"""The run: find files, distribute them to the workers, write what comes back.

The parent is one event loop over three overlapping stages with bounded work in flight. It walks the sources, sends tasks
to the workers, and passes batches to the sink; the workers read and analyse. While idle, the parent walks ahead (up to
pool.MAX_TASKS_AHEAD tasks), so that progress can show the time remaining early.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Unpack

import numpy as np

from midiopt.core import build
from midiopt.errors import SinkError, Stopped
from midiopt.kinds import INT64
from midiopt.pipeline.batch_writer import BatchWriter
from midiopt.pipeline.experiments import Experiments
from midiopt.pipeline.file_index import FileIndex
from midiopt.pipeline.hash_table_writer import SharedHashTableWriter
from midiopt.pipeline.new_files import NewFiles
from midiopt.pipeline.options import DATABASE, RunOptions, RunOverrides
from midiopt.pipeline.pool import Result, WorkerPool
from midiopt.pipeline.prune import MissingFiles
from midiopt.pipeline.signals import Stop
from midiopt.pipeline.summary import NoProgress, Progress, Summary
from midiopt.pipeline.tasks import Task
from midiopt.rows.validate import validate
from midiopt.run_log import event, log_to
from midiopt.schema import OPENED, STATUSES
from midiopt.sinks import open_sink, tell_nobody
from midiopt.sinks.base import Catalog, Database, RunJournal
from midiopt.sinks.urls import without_password
from midiopt.sources.paths import path_text
from midiopt.sources.roots import find_roots
from midiopt.sources.walk import WalkStats, walk


def run(
    sources: Sequence[str | os.PathLike[str]],
    db: str | os.PathLike[str] = DATABASE,
    options: RunOptions | None = None,
    *,
    progress: Progress | None = None,
    **overrides: Unpack[RunOverrides],
) -> Summary:
    """Analyse all files of ``sources`` (files, folders, archives and @lists) into the database ``db``.

    Files that are unchanged since an earlier run into the same database are skipped. ``overrides`` replace fields of
    ``options``: ``run(["music"], "music.db", workers=2, prune=True)``. ``progress`` receives the state of the run.

    SIGINT and SIGTERM end the run early with all results so far written (``Summary.interrupted`` is then the signal); a
    second one raises KeyboardInterrupt. Raises SourceError for a source that does not exist, SinkError when the database
    cannot be opened or written, DatabaseBusy while another run writes it, and ValueError for an invalid option.
    """
    options = replace(options or RunOptions(), **overrides)
    experiments = Experiments.from_environment()
    db = os.fspath(db)
    roots = find_roots([sources] if isinstance(sources, (str, os.PathLike)) else sources)
    walked = WalkStats()
    stop = Stop()
    notify = getattr(progress, "notice", tell_nobody)
    started = time.monotonic()
    with (
        log_to(options.log, walked.problems),
        open_sink(db, options.writers, experiments.warm_connections, options.sink_timeout, stop.is_requested, notify) as database,
        stop.on_signals(),
    ):
        settings = asdict(options) | experiments.changed()
        with _recorded(database, roots, without_password(db), settings) as summary:
            with contextlib.suppress(Stopped):
                _analyze(roots, walked, database, options, experiments, progress or NoProgress(), stop, summary)
            summary.interrupted = stop.signal
            summary.seconds = time.monotonic() - started
            summary.files_per_second = summary.analysed / summary.seconds
        database.close()
    return summary


def _analyze(
    roots: list[bytes],
    walked: WalkStats,
    database: Database,
    options: RunOptions,
    experiments: Experiments,
    progress: Progress,
    stop: Stop,
    summary: Summary,
) -> None:
    """The run between the opening of the database and the end of its record. Raises Stopped when a signal cuts it short."""
    with contextlib.closing(database.iter_files(options.keep_old)) as pages:
        index = FileIndex(pages)
    new_files = NewFiles(walk(roots, walked, options.follow_links), index.unchanged if len(index) else None)
    missing = MissingFiles(database, index, options.prune, stop.is_requested)
    try:
        with contextlib.closing(SharedHashTableWriter(database.content_key)) as table, WorkerPool(options, table, experiments) as pool:
            writer = BatchWriter(database, table, options.batch_size)
            RunLoop(walked, new_files, database, table, pool, writer, missing, progress, stop, summary).run()
        if not stop.is_requested():
            missing.check_folders(roots)
    finally:
        summary.gone, summary.refusals = missing.count, missing.refusals
    if not stop.is_requested():
        summary.duplicates = database.finalize()


@contextlib.contextmanager
def _recorded(journal: RunJournal, roots: list[bytes], url: str, options: dict[str, object]) -> Iterator[Summary]:
    """Add the run's row to the table ``runs``, and complete it with the Summary however the run ends."""
    facts = {"version": build.version, "build": build.mode, "sources": [path_text(root) for root in roots]}
    journal.start_run({"started": dt.datetime.now(dt.UTC), **facts, "options": json.dumps(options)})
    event("start", database=url, **facts, options=options)
    summary = Summary()
    try:
        yield summary
    except BaseException as problem:
        is_abort = isinstance(problem, KeyboardInterrupt)
        with contextlib.suppress(SinkError):  # if the database is the problem, the next run marks this one as `killed`
            _end(journal, "interrupted" if is_abort else "failed", None if is_abort else str(problem), summary, timeout=0)
        raise
    _end(journal, "interrupted" if summary.interrupted else "finished", None, summary)


def _end(journal: RunJournal, outcome: str, error: str | None, summary: Summary, timeout: float | None = None) -> None:
    names = ("files", *STATUSES, "skipped", "gone", "duplicates", "bytes", "seconds")
    facts = {"outcome": outcome, "error": error, **{name: getattr(summary, name) for name in names}}
    event("end", **facts)
    journal.end_run({"ended": dt.datetime.now(dt.UTC), **facts}, timeout)


@dataclass
class RunLoop:
    """The event loop of the parent: from the walk to the last commit."""

    walked: WalkStats
    new_files: NewFiles
    catalog: Catalog
    table: SharedHashTableWriter
    pool: WorkerPool
    writer: BatchWriter
    missing: MissingFiles
    progress: Progress
    stop: Stop
    summary: Summary
    members: int = 0  # rows of members of archives
    appledouble: int = 0  # members skipped

    def run(self) -> None:
        """Process everything that the walk finds; after a signal, what the workers have."""
        started = time.monotonic()
        for results in self.pool.run(self._tasks(), self.stop):
            for result in results:
                self._receive(result)
            self.writer.write_if_full()
            total = self.walked.found + self.members if self.walked.at_end else None
            self._update_summary()
            self.progress.update(self.summary, time.monotonic() - started, total)
        self.writer.flush()
        self._update_summary()
        self.summary.problems = self.walked.problems
        self.summary.steady_seconds = time.monotonic() - started

    def _tasks(self) -> Iterator[Task | None]:
        """The tasks of what the walk finds. Before the first one the hash table is filled; most runs find nothing new."""
        is_filled = False
        for task in self.new_files.tasks():
            if task and not is_filled:
                with contextlib.closing(self.catalog.iter_content_hashes()) as pages:
                    for digests in pages:
                        self.table.add(np.frombuffer(digests, "u1").reshape(-1, 16))
                is_filled = True
            yield task

    def _receive(self, result: Result) -> None:
        batch, report = validate(result.batch), result.report
        if report:
            self.members += report.members
            self.appledouble += report.appledouble
            if report.is_finish:  # the archive's own row must not be committed before those of its members
                self.writer.flush()
            batch = self.missing.check_archive(batch, report.has_archive_row)
        self.writer.add(batch, result.size)
        statuses = batch.files["status"]
        for status, count in zip(STATUSES, np.bincount(statuses, minlength=len(STATUSES)).tolist(), strict=True):
            setattr(self.summary, status, getattr(self.summary, status) + count)
        # As a float, which is exact to 2**53 and does not overflow: a damaged archive may declare members of any size.
        size = int(batch.files["size_bytes"][statuses != OPENED].sum(dtype=np.float64))
        self.summary.bytes = min(self.summary.bytes + size, INT64.high)

    def _update_summary(self) -> None:
        """Copy the counts of the walk; `gone` and the members of archives change during the run, too."""
        self.summary.files = self.walked.found + self.members
        self.summary.skipped = self.new_files.skipped
        self.summary.gone = self.missing.count
        self.summary.appledouble = self.walked.appledouble + self.appledouble
