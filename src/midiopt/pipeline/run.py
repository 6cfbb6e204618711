"""The run: find files, distribute them to the workers, write what comes back.

The parent is one event loop over three overlapping stages with bounded work in flight. It walks the sources, sends tasks
to the workers, and passes batches to the sink; the workers read and analyse. While idle, the parent walks ahead (up to
task_buffer.MAX_TASKS_AHEAD tasks), so that progress can show the time remaining early.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING, Unpack

from midiopt.core import build
from midiopt.errors import SinkError, Stopped
from midiopt.limits import DATABASE, PROCESSES, check_executor
from midiopt.pipeline.experiments import Experiments
from midiopt.pipeline.hash_table_writer import SharedHashTableWriter
from midiopt.pipeline.options import RunOptions, RunOverrides
from midiopt.pipeline.pool import WorkerPool
from midiopt.pipeline.signals import Stop
from midiopt.pipeline.summary import NoProgress, Progress, Summary
from midiopt.run_log import event, log_to
from midiopt.schema import STATUSES
from midiopt.sinks import open_sink, tell_nobody
from midiopt.sinks.base import Database, RunJournal
from midiopt.sinks.urls import without_password
from midiopt.sources.paths import path_text
from midiopt.sources.roots import find_roots
from midiopt.sources.urls import may_name_urls
from midiopt.sources.walk import WalkStats

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from midiopt.pipeline.executor_pool import ExecutorPool


def run(
    sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    db: str | os.PathLike[str] = DATABASE,
    options: RunOptions | None = None,
    *,
    progress: Progress | None = None,
    executor: Executor | str = PROCESSES,
    **overrides: Unpack[RunOverrides],
) -> Summary:
    """Analyse all files of ``sources`` into the database ``db``: midiopt.run, which also shows the progress, describes the arguments."""
    options = options or RunOptions()
    if not isinstance(options, RunOptions):
        raise TypeError(f"options are RunOptions, or given by their names, not {type(options).__name__}")
    if progress is not None and not hasattr(progress, "update"):
        raise TypeError(f"progress is True, False, or an object with a method update, not {progress!r}")
    if not isinstance(executor, str) and not hasattr(executor, "submit"):
        raise TypeError(f"an executor is a name, or a concurrent.futures.Executor, not {executor!r}")
    options = replace(options, **overrides)
    if isinstance(executor, str):
        check_executor(executor)
    experiments = Experiments.from_environment()
    db = os.fspath(db)
    walked = WalkStats()
    gone: list[bytes] = []
    roots = find_roots(
        [sources] if isinstance(sources, (str, os.PathLike)) else sources, walked.problems, gone if options.prune == "all" else None
    )
    stop = Stop()
    notify = getattr(progress, "notice", tell_nobody)
    started = time.monotonic()
    with (
        log_to(options.log, walked.problems),
        open_sink(db, options.writers, experiments.warm_connections, options.sink_timeout, stop.is_requested, notify) as database,
        stop.on_signals(),
    ):
        settings = asdict(options) | experiments.changed()
        if executor != PROCESSES:
            settings["executor"] = executor if isinstance(executor, str) else type(executor).__name__
        with _recorded(database, [*roots, *gone], without_password(db), settings) as summary:
            try:
                with contextlib.suppress(Stopped):
                    new_pool = partial(_new_pool, executor, options, experiments, notify)
                    _analyze(roots, walked, database, options, new_pool, progress or NoProgress(), stop, summary, gone)
                summary.interrupted = stop.signal
            finally:  # also of a run that fails, whose record it stands in
                summary.seconds = time.monotonic() - started
                summary.files_per_second = summary.analysed / summary.seconds
        database.close()
    return summary


def _analyze(
    roots: list[bytes],
    walked: WalkStats,
    database: Database,
    options: RunOptions,
    new_pool: Callable[[SharedHashTableWriter, Database], WorkerPool | ExecutorPool],
    progress: Progress,
    stop: Stop,
    summary: Summary,
    gone: Sequence[bytes],
) -> None:
    """The run between the opening of the database and the end of its record. Raises Stopped when a signal cuts it short."""
    with contextlib.closing(SharedHashTableWriter(database.content_key)) as table, new_pool(table, database) as pool:
        with contextlib.closing(database.iter_files(options.keep_old, options.tracks)) as pages:
            first_page = next(pages, None)
            if first_page is None:  # whatever the walk finds is new
                pool.start_worker()
            # Not before: numpy takes 120 ms to import, the modules of a worker 90.
            from midiopt.pipeline.file_index import FileIndex
            from midiopt.pipeline.run_loop import RunLoop

            known = itertools.chain([first_page], pages) if first_page else ()
            index = FileIndex(known, database.missing_paths(), may_name_urls(roots))
        loop = RunLoop(roots, walked, index, database, table, pool, options, progress, stop, summary, gone)
        loop.run()
    if not stop.is_requested():
        loop.find_missing()
    if not stop.is_requested():
        summary.duplicates = database.finalize()


def _new_pool(
    executor: Executor | str,
    options: RunOptions,
    experiments: Experiments,
    notify: Callable[[str], None],
    table: SharedHashTableWriter,
    database: Database,
) -> WorkerPool | ExecutorPool:
    if executor == PROCESSES:
        return WorkerPool(options, table, experiments, shares_analyses=database.shares_analyses)
    from midiopt.pipeline.executor_pool import ExecutorPool
    from midiopt.pipeline.executor_task import TaskSettings
    from midiopt.pipeline.executors import connect

    settings = TaskSettings.of(options, experiments, table.content_key, getattr(database, "parts_folder", None))
    return ExecutorPool(connect(executor, options.workers), settings, notify)


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
    names = ("files", *STATUSES, "skipped", "gone", "duplicates", "bytes", "seconds", "moved", "deleted")
    facts = {"outcome": outcome, "error": error, **{name: getattr(summary, name) for name in names}}
    event("end", **facts)
    journal.end_run({"ended": dt.datetime.now(dt.UTC), **facts}, timeout)
