"""From the walk to tasks: the files that are new or changed, and how they are grouped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from midiopt.pipeline.tasks import AnalyzeFiles, ReadMembers, Task
from midiopt.sources.filetypes import is_archive, is_table
from midiopt.sources.paths import SLASH
from midiopt.sources.urls import is_url, public_url
from midiopt.sources.walk import EMPTY_PAGE, PAGE_PATHS, Page

FILES_PER_TASK = 128
PATH_BYTES_PER_TASK = 16 * 1024  # the queued tasks of a worker fit into its pipe's buffer, so that sending never blocks
YIELD_INTERVAL = 0.1  # seconds between two results of a walk that finds nothing new

UnchangedTest = Callable[..., list[bool]]  # of paths, and of what a listing says of their states


class NewFiles:
    """The tasks for all files of a walk but the unchanged ones, which are counted in ``skipped``. With ``reopen_tables``
    those of tables are made anyway."""

    def __init__(self, pages: Iterable[Page], unchanged: UnchangedTest | None = None, reopen_tables: bool = False) -> None:
        self._pages = pages
        self._reopen_tables = reopen_tables
        self._unchanged = unchanged
        self.skipped = 0

    def tasks(self, clock: Callable[[], float] = time.monotonic) -> Iterator[Task | None]:
        """At most FILES_PER_TASK files and PATH_BYTES_PER_TASK per task; an archive is a task by itself.

        Yields at least once per YIELD_INTERVAL, None if there is nothing new, so that the caller can act meanwhile.
        """
        group: list[bytes] = []
        size = 0
        yield_at = clock() + YIELD_INTERVAL
        for page in self._changed():
            if not page.are_regular:
                yield AnalyzeFiles(page.paths, are_regular=False)
                continue
            for path in page.paths:
                if is_archive(path if path[0] == SLASH else public_url(path)):
                    yield ReadMembers(path)
                    continue
                if len(group) == FILES_PER_TASK or (group and size + len(path) > PATH_BYTES_PER_TASK):
                    yield AnalyzeFiles(group)
                    group, size = [], 0
                group.append(path)
                size += len(path) + 1
            if clock() > yield_at:
                yield AnalyzeFiles(group) if group else None
                group, size = [], 0
                yield_at = clock() + YIELD_INTERVAL
        if group:
            yield AnalyzeFiles(group)

    def _changed(self) -> Iterator[Page]:
        """The pages without unchanged files. Small pages are looked up together; meanwhile empty ones are yielded."""
        if self._unchanged is None:
            yield from self._pages
            return
        waiting: list[bytes] = []
        for page in self._pages:
            if not page.are_regular:
                yield page
                continue
            if page.paths and is_url(page.paths[0]):
                yield Page(self._without_unchanged(page.paths, partial(self._unchanged, states=page.states)))
                continue
            waiting += page.paths
            if len(waiting) < PAGE_PATHS:
                yield EMPTY_PAGE
                continue
            yield Page(self._without_unchanged(waiting, self._unchanged))
            waiting = []
        if waiting:
            yield Page(self._without_unchanged(waiting, self._unchanged))

    def _without_unchanged(self, paths: list[bytes], unchanged: UnchangedTest) -> list[bytes]:
        changed = [path for path, same in zip(paths, unchanged(paths), strict=True) if not same or (self._reopen_tables and is_table(path))]
        self.skipped += len(paths) - len(changed)
        return changed
