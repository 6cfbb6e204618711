"""midiopt.run: a run from Python, which shows its progress if it is asked to."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import Executor
from typing import Unpack

from midiopt.cli.progress import RunProgress
from midiopt.library.status import keep_status
from midiopt.limits import DATABASE, PROCESSES
from midiopt.pipeline.options import RunOptions, RunOverrides
from midiopt.pipeline.run import run as run_pipeline
from midiopt.pipeline.summary import Progress, Summary
from midiopt.sinks.urls import without_password


def run(
    sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    db: str | os.PathLike[str] = DATABASE,
    options: RunOptions | None = None,
    *,
    progress: Progress | bool | None = None,
    executor: Executor | str = PROCESSES,
    **overrides: Unpack[RunOverrides],
) -> Summary:
    """Analyse all files of ``sources`` (a file, folder, archive or @list, or several) into the database ``db``.

    Files that are unchanged since an earlier run into the same database are skipped. ``overrides`` replace fields of
    ``options``: ``run(["music"], "music.db", workers=2, prune=True)``. ``progress=True`` shows a bar and the summary, in a notebook
    as on a terminal; a Progress receives the state of the run instead. ``executor`` says where the files are analysed: in processes
    of this run, by Dask ("dask:local", "dask://HOST:PORT"), or by any concurrent.futures.Executor, whose workers need midiopt and the
    same files.

    SIGINT and SIGTERM end the run early with all results so far written (``Summary.interrupted`` is then the signal); a
    second one raises KeyboardInterrupt. Raises SourceError if none of the sources can be read, SinkError when the database
    cannot be opened or written, DatabaseBusy while another run writes it, ValueError for an invalid option, and TypeError
    for what is none.
    """
    if isinstance(progress, bool):
        with RunProgress(is_quiet=not progress) as shown:
            summary = run(sources, db, options, progress=shown, executor=executor, **overrides)
            shown.finish(summary, without_password(os.fspath(db)))
    else:
        summary = run_pipeline(sources, db, options, progress=progress, executor=executor, **overrides)
        keep_status(db, summary)
    return summary
