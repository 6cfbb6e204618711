"""What a run would do, found out without writing: the walk, the index and the guard of a run, over a database that is only read.

No file is opened. So a file counts as moved by its size and its modification time, and what archives hold is not known.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from midiopt.errors import NoDatabase
from midiopt.library.read_only_catalog import ReadOnlyCatalog
from midiopt.library.snapshot import open_snapshot
from midiopt.pipeline.file_index import FileIndex
from midiopt.pipeline.missing import MissingFiles, no_longer_known, sources_of
from midiopt.pipeline.options import RunOptions
from midiopt.pipeline.prune import prune_sources
from midiopt.sinks import never
from midiopt.sources.file_state import FileState
from midiopt.sources.filetypes import is_archive
from midiopt.sources.paths import path_text
from midiopt.sources.roots import find_roots
from midiopt.sources.stat_many import StatMany
from midiopt.sources.urls import may_name_urls
from midiopt.sources.walk import Page, WalkStats, walk

MAX_EXAMPLES = 3


@dataclass
class Found:
    """A number of files, and the first of them."""

    files: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, paths: Iterable[str]) -> None:
        """Count these."""
        for path in paths:
            self.files += 1
            if len(self.examples) < MAX_EXAMPLES:
                self.examples.append(path)


@dataclass
class DryRun:
    """What a run would do."""

    new: Found = field(default_factory=Found)
    changed: Found = field(default_factory=Found)
    """Or to be analysed again: by a newer analyser, or because they could not be read, or crashed."""
    unchanged: int = 0
    archives: int = 0
    """Those of the new and changed files that are archives: what they hold is not counted."""
    missing: Found = field(default_factory=Found)
    """In the database, but no longer there; no earlier run has missed them."""
    moved: Found = field(default_factory=Found)
    """Of these: a new file has their size and modification time. An example is the old path, an arrow and the new path."""
    missing_before: int = 0
    """Files of the sources that an earlier run has missed, and that are not back."""
    returned: Found = field(default_factory=Found)
    """Had been missing, and are back unchanged."""
    to_prune: int = 0
    """Rows of missing files that the run would delete."""
    links: int = 0
    """Symbolic links passed."""
    unread_archives: int = 0
    """Archives passed whose formats are not read."""
    problems: list[str] = field(default_factory=list)
    """Sources, folders and lines of lists that cannot be read."""
    refusals: list[str] = field(default_factory=list)
    """Sources whose missing files would keep their rows in spite of ``prune``."""

    @property
    def files(self) -> int:
        """All files that the walk finds."""
        return self.new.files + self.changed.files + self.unchanged


def dry_run(sources: Sequence[str | os.PathLike[str]], db: str | os.PathLike[str], options: RunOptions) -> DryRun:
    """What a run over these sources would do to this database, which need not exist.

    Raises SourceError if none of the sources can be read, and SinkError if the database cannot.
    """
    walked = WalkStats()
    gone: list[bytes] = []
    roots = find_roots(sources, walked.problems, gone if options.prune == "all" else None)
    with contextlib.ExitStack() as resources:
        library = None
        with contextlib.suppress(NoDatabase):
            library = resources.enter_context(open_snapshot(db))
        catalog, result = ReadOnlyCatalog(library), DryRun(problems=walked.problems)
        index = FileIndex(catalog.iter_files(options.keep_old, options.tracks), catalog.missing_paths(), may_name_urls(roots))
        new_places = _walk(walk(roots, walked, options.follow_links), index, result)
        walked.sum_up_problems()
        known_places = sources_of(roots, [], gone)
        walked.problems += no_longer_known(catalog, gone)
        MissingFiles(catalog, index, dt.datetime.now(dt.UTC), never).check_folders(known_places)
        pruned = prune_sources(catalog, known_places, options.prune, bool(catalog.marked) or index.any_missing)
        marked = sorted(set(catalog.marked))
        result.missing.add(marked)
        result.moved.add(f"{old} -> {places.pop(0)}" for old, state in catalog.states(marked) if (places := new_places.get(state)))
    result.returned.add(catalog.cleared)
    result.unchanged -= len(index.vanished)
    result.missing_before = pruned.missing - sum(any(path in place for place in known_places) for path in marked)
    result.to_prune, result.refusals = pruned.deleted, pruned.refusals
    result.links, result.unread_archives = walked.links, walked.unread_archives
    return result


def _walk(pages: Iterable[Page], index: FileIndex, result: DryRun) -> dict[FileState, list[str]]:
    """Count what the walk finds. Returns the new files by size and modification time, if the database has any file."""
    stat_many, new_places = StatMany(), defaultdict[FileState, list[str]](list)
    for page in pages:
        paths = page.paths
        names = list(map(path_text, paths))
        if not len(index):
            result.new.add(names)
            result.archives += sum(map(is_archive, paths))
            continue
        unchanged, known = index.unchanged(paths, page.states) if page.are_regular else [False] * len(paths), index.knows(names)
        new = [i for i, is_known in enumerate(known) if not is_known]
        result.new.add(names[i] for i in new)
        result.changed.add(name for name, same, is_known in zip(names, unchanged, known, strict=True) if is_known and not same)
        result.unchanged += sum(unchanged)
        result.archives += sum(is_archive(path) for path, same in zip(paths, unchanged, strict=True) if not same)
        states = memoryview(stat_many([paths[i] for i in new])).cast("q")
        for i, size, mtime_ns in zip(new, states[::3], states[1::3], strict=True):
            new_places[FileState(size, mtime_ns)].append(names[i])
    return new_places
