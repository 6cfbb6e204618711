"""What a database holds, and how the last run into it ended.

A run keeps the status with its number. It holds as long as no other run has begun, and is counted again where it does not.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import Any, NamedTuple

from midiopt.errors import MidioptError
from midiopt.library import queries
from midiopt.library.queries import FileSize, FileTime, MissingCounts, Run
from midiopt.library.snapshot import Snapshot, open_snapshot
from midiopt.schema import ISSUES, OK, OPENED, OUTCOMES, STATUSES, issue_names
from midiopt.sinks.kept_status import write_status

TYPE_CHECKING = False  # see midiopt/__init__.py
if TYPE_CHECKING:
    from midiopt.pipeline.summary import Summary

FINISHED = OUTCOMES[0]
MAX_FILES = 5  # slowest, and largest


class FilesWithStatus(NamedTuple):
    """The number and size of the files with one status, and the first one with its error unless they are all right."""

    files: int
    bytes: int
    example: str | None = None
    error: str | None = None


class FilesWithIssue(NamedTuple):
    """The number of files with one issue, and the path of one."""

    files: int
    example: str


class LibraryStatus(NamedTuple):
    """What a database holds."""

    files: dict[str, FilesWithStatus]
    """By status, all of schema.STATUSES."""
    database_bytes: int
    """Size of the tables and indexes."""
    contents: int
    duplicates: int
    """Analysed files beyond the first one with their content."""
    issues: dict[str, FilesWithIssue]
    """By name, the most frequent one first."""
    slowest: list[FileTime]
    largest: list[FileSize]
    missing: MissingCounts
    """Files that are no longer there; all other numbers leave them out."""
    last_run: Run | None
    """Its outcome is `running` while it goes on."""

    @property
    def file_count(self) -> int:
        """Number of files with any status."""
        return sum(found.files for found in self.files.values())

    @property
    def bytes(self) -> int:
        """Size of all files; that of an archive includes its members."""
        return sum(found.bytes for name, found in self.files.items() if name != STATUSES[OPENED])


def library_status(library: Snapshot) -> LibraryStatus:
    """The status of a database."""
    run = _last_run(library)
    if run and run.outcome == FINISHED and (kept := _kept(library, run.id)):
        return kept._replace(last_run=run, database_bytes=queries.database_bytes(library))
    return _count(library)._replace(last_run=run)


def keep_status(url: str | os.PathLike[str], summary: Summary) -> None:
    """Store the status after a run, or that the one before it still holds. A database that cannot be written now stays without."""
    url = os.fspath(url)
    with contextlib.suppress(MidioptError, OSError):
        with open_snapshot(url) as library:
            run = _last_run(library)
            if run is None or run.outcome != FINISHED:
                return
            kept = None if summary.has_changes else _kept(library, run.id - 1)
            status = kept or _count(library)
        write_status(url, json.dumps({"run": run.id, **as_facts(status._replace(last_run=None))}))


def as_facts(value: Any) -> Any:
    """A status or a part of it as JSON has it: in dicts, lists and values."""
    if isinstance(value, tuple):
        value = value._asdict()  # type: ignore[attr-defined]
    if isinstance(value, dict):
        return {name: as_facts(part) for name, part in value.items()}
    return [as_facts(part) for part in value] if isinstance(value, list) else value


def _kept(library: Snapshot, run_id: int) -> LibraryStatus | None:
    """What the run with this number has kept."""
    try:
        facts = json.loads(queries.kept_status(library) or "{}")
        if facts.pop("run") != run_id:
            return None
        facts["files"] = {name: FilesWithStatus(**found) for name, found in facts["files"].items()}
        facts["issues"] = {name: FilesWithIssue(**found) for name, found in facts["issues"].items()}
        facts["slowest"] = [FileTime(**file) for file in facts["slowest"]]
        facts["largest"] = [FileSize(**file) for file in facts["largest"]]
        facts["missing"] = MissingCounts(**facts["missing"])
        return LibraryStatus(**facts)
    except (KeyError, TypeError, ValueError, AttributeError):  # of another version of midiopt, or changed by hand
        return None


def _count(library: Snapshot) -> LibraryStatus:
    counts = queries.content_counts(library)
    return LibraryStatus(
        files=_files(library),
        database_bytes=queries.database_bytes(library),
        contents=counts.contents,
        duplicates=counts.analysed_files - counts.contents,
        issues=_issues(library),
        slowest=queries.slowest_files(library, MAX_FILES),
        largest=queries.largest_files(library, MAX_FILES),
        missing=queries.missing_counts(library),
        last_run=None,
    )


def _files(library: Snapshot) -> dict[str, FilesWithStatus]:
    without_error = (STATUSES[OK], STATUSES[OPENED])
    found = dict.fromkeys(STATUSES, FilesWithStatus(0, 0))
    for count in queries.status_counts(library):
        example = () if count.status in without_error else (count.first_path, count.error)
        found[count.status] = FilesWithStatus(count.files, count.bytes, *example)
    return found


def _issues(library: Snapshot) -> dict[str, FilesWithIssue]:
    files = dict.fromkeys(ISSUES, 0)
    examples: dict[str, str] = {}
    for found in queries.issue_sets(library):
        for name in issue_names(found.bits):
            files[name] += found.files
            examples.setdefault(name, found.first_path)
    ranked = sorted(filter(files.__getitem__, ISSUES), key=lambda name: -files[name])
    return {name: FilesWithIssue(files[name], examples[name]) for name in ranked}


def _last_run(library: Snapshot) -> Run | None:
    """A run without an outcome is active, or was killed if nobody holds its lock."""
    run = queries.last_run(library)
    return run and run._replace(outcome=run.outcome or ("running" if library.in_use else "killed"))
