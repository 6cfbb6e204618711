"""What a database holds, and how the last run into it ended."""

from __future__ import annotations

from dataclasses import dataclass, replace

from midiopt.library import Library, queries
from midiopt.library.queries import FileSize, FileTime, Run
from midiopt.schema import ISSUES, OK, OPENED, STATUSES, issue_names

MAX_FILES = 5  # slowest, and largest


@dataclass(frozen=True)
class FilesWithStatus:
    """The number and size of the files with one status, and the first one with its error unless they are all right."""

    files: int
    bytes: int
    example: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class FilesWithIssue:
    """The number of files with one issue, and the path of one."""

    files: int
    example: str


@dataclass(frozen=True)
class LibraryStatus:
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


def library_status(library: Library) -> LibraryStatus:
    """The status of a database."""
    counts = queries.content_counts(library)
    return LibraryStatus(
        files=_files(library),
        database_bytes=queries.database_bytes(library),
        contents=counts.contents,
        duplicates=counts.analysed_files - counts.contents,
        issues=_issues(library),
        slowest=queries.slowest_files(library, MAX_FILES),
        largest=queries.largest_files(library, MAX_FILES),
        last_run=_last_run(library),
    )


def _files(library: Library) -> dict[str, FilesWithStatus]:
    without_error = (STATUSES[OK], STATUSES[OPENED])
    found = dict.fromkeys(STATUSES, FilesWithStatus(0, 0))
    for count in queries.status_counts(library):
        example = () if count.status in without_error else (count.first_path, count.error)
        found[count.status] = FilesWithStatus(count.files, count.bytes, *example)
    return found


def _issues(library: Library) -> dict[str, FilesWithIssue]:
    files = dict.fromkeys(ISSUES, 0)
    examples: dict[str, str] = {}
    for found in queries.issue_sets(library):
        for name in issue_names(found.bits):
            files[name] += found.files
            examples.setdefault(name, found.first_path)
    ranked = sorted(filter(files.__getitem__, ISSUES), key=lambda name: -files[name])
    return {name: FilesWithIssue(files[name], examples[name]) for name in ranked}


def _last_run(library: Library) -> Run | None:
    """A run without an outcome is active, or was killed if nobody holds its lock."""
    run = queries.last_run(library)
    return run and replace(run, outcome=run.outcome or ("running" if library.in_use else "killed"))
