"""The event loop of the parent: it walks the sources, sends tasks to the workers, and passes batches to the sink.

It is imported when the first worker has been started: numpy, which it needs, takes 120 ms to import, the modules of a worker 90.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from midiopt.kinds import INT64
from midiopt.pipeline.batch_writer import BatchWriter
from midiopt.pipeline.file_index import FileIndex
from midiopt.pipeline.hash_table_writer import SharedHashTableWriter
from midiopt.pipeline.missing import MissingFiles, no_longer_known, sources_of
from midiopt.pipeline.new_files import NewFiles
from midiopt.pipeline.options import RunOptions
from midiopt.pipeline.pool import Result, WorkerPool
from midiopt.pipeline.prune import prune_sources
from midiopt.pipeline.signals import Stop
from midiopt.pipeline.summary import Progress, Summary
from midiopt.pipeline.tasks import Task
from midiopt.rows.batch import Batch
from midiopt.rows.validate import validate
from midiopt.schema import MEMBER_SEPARATOR, OPENED, STATUSES, UNREADABLE
from midiopt.sinks.base import Database
from midiopt.sources.urls import is_url
from midiopt.sources.walk import WalkStats, walk

if TYPE_CHECKING:
    from midiopt.pipeline.executor_pool import ExecutorPool


@dataclass
class RunLoop:
    """From the walk to the last commit."""

    roots: list[bytes]
    walked: WalkStats
    index: FileIndex
    database: Database
    table: SharedHashTableWriter
    pool: WorkerPool | ExecutorPool
    options: RunOptions
    progress: Progress
    stop: Stop
    summary: Summary
    gone: Sequence[bytes] = ()  # sources that are not there, whose rows --prune=all deletes
    members: int = 0  # rows of members of archives
    appledouble: int = 0  # members skipped

    def __post_init__(self) -> None:
        pages = walk(self.roots, self.walked, self.options.follow_links)
        self.new_files = NewFiles(pages, self.index.unchanged if len(self.index) else None, self.options.column is not None)
        self.since = dt.datetime.now(dt.UTC)
        if self.index.any_missing and (last := self.database.last_missing()):  # what went later must say so, though the clock was set back
            self.since = max(self.since, last + dt.timedelta(microseconds=1))
        self.missing = MissingFiles(self.database, self.index, self.since, self.stop.is_requested)
        self.writer = BatchWriter(self.database, self.table, self.options.batch_size)

    def run(self) -> None:
        """Process everything that the walk finds; after a signal, what the workers have."""
        started = time.monotonic()
        try:
            for results in self.pool.run(self._tasks(), self.stop):
                for result in results:
                    self._receive(result)
                self.writer.write_if_full()
                self.missing.clear_returned()
                total = self.walked.found + self.members if self.walked.at_end else None
                self._update_summary()
                self.progress.update(self.summary, time.monotonic() - started, total)
            self.writer.flush()
        finally:
            self._update_summary()
        for path in self.index.vanished:
            if is_url(path.encode()):
                self.walked.add_unread_named(path)
        self.walked.sum_up_problems()
        self.summary.problems = self.walked.problems
        self.summary.steady_seconds = time.monotonic() - started

    def find_missing(self) -> None:
        """Find files that no longer exist, once everything that exists was found; tell which have moved, and prune."""
        removed = self.walked.add_removed_folders()
        self.walked.problems += no_longer_known(self.database, self.gone)
        sources = [source for source in sources_of(self.roots, self.missing.changed_archives, self.gone) if source.after not in removed]
        try:
            self.missing.check_folders(sources)
        finally:
            self._update_summary()
        if self.missing.newly:
            self.summary.moved = self.database.count_moved(self.since)
        if not self.stop.is_requested():
            pruned = prune_sources(self.database, sources, self.options.prune, bool(self.missing.newly) or self.index.any_missing)
            vanished = [(path, 1) for path in self.index.vanished]
            vanished += [(members.after, count) for members, count in self.missing.vanished_members.items() if members not in sources]
            elsewhere = sum(count for path, count in vanished if not any(path in source for source in sources))
            self.summary.gone = pruned.missing + elsewhere
            self.summary.deleted, self.summary.refusals = pruned.deleted, pruned.refusals

    def _tasks(self) -> Iterator[Task | None]:
        """The tasks of what the walk finds. Before the first one the hash table is filled; most runs find nothing new."""
        is_filled = False
        for task in self.new_files.tasks():
            if task and not is_filled:
                with contextlib.closing(self.database.iter_content_hashes(self.options.tracks)) as pages:
                    for digests in pages:
                        self.table.add(digests)
                is_filled = True
            yield task

    def _receive(self, result: Result) -> None:
        batch, report = validate(Batch.from_bytes(result.message)), result.report
        if report:
            self.members += report.members
            self.appledouble += report.appledouble
            if report.is_finish:  # the archive's own row must not be committed before those of its members
                self.writer.write_in_order()
            # With a column that was told, a table shows nothing about the members that it has by another one.
            self.missing.check_archive(batch, report.has_archive_row and self.options.column is None)
        if result.part is None:
            self.writer.add(batch, len(result.message))
        else:
            self.writer.adopt(batch, result.part)
        statuses = batch.files["status"]
        for status, count in zip(STATUSES, np.bincount(statuses, minlength=len(STATUSES)).tolist(), strict=True):
            setattr(self.summary, status, getattr(self.summary, status) + count)
        if self.walked.names_objects and (statuses == UNREADABLE).any():
            self._add_unread_objects(batch)
        # As a float, which is exact to 2**53 and does not overflow: a damaged archive may declare members of any size.
        size = int(batch.files["size_bytes"][statuses != OPENED].sum(dtype=np.float64))
        self.summary.bytes = min(self.summary.bytes + size, INT64.high)

    def _add_unread_objects(self, batch: Batch) -> None:
        """What the walk cannot tell of objects that are named."""
        for path in batch.paths(batch.files[batch.files["status"] == UNREADABLE]):
            if is_url(path.encode()) and MEMBER_SEPARATOR not in path:
                self.walked.add_unread_named(path)

    def _update_summary(self) -> None:
        """Copy the counts of the walk; `gone` and the members of archives change during the run, too."""
        vanished = len(self.index.vanished)
        self.summary.files = self.walked.found + self.members - vanished
        self.summary.skipped = self.new_files.skipped - vanished
        self.summary.gone = self.summary.missed = self.missing.newly
        self.summary.returned = self.missing.cleared
        self.summary.links, self.summary.unread_archives = self.walked.links, self.walked.unread_archives
        self.summary.appledouble = self.walked.appledouble + self.appledouble
