"""What a report says of the files that a query finds: totals, distributions, examples and the runs of the library."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from midiopt.library.near import NearGroup, near_contents, near_group
from midiopt.library.queries import FileTime, Run, latest_runs
from midiopt.library.report_counts import MAX_SECONDS, Counts, Rows, count_values
from midiopt.library.search import Query
from midiopt.library.snapshot import Snapshot
from midiopt.schema import ANALYSED, OK, OPENED, STATUSES, issue_names

MAX_NEAR = 200_000  # contents that are compared with each other; a million took minutes and 2 GB
MAX_GROUPS, MAX_PATHS, MAX_FILES, MAX_RUNS = 10, 3, 10, 40  # that are listed


@dataclass(frozen=True)
class StatusLine:
    """The files with one status, and the first of them in the order of paths unless the status is no fault."""

    status: str
    files: int
    bytes: int
    seconds: float
    """Of music; a file of more than a day counts as a day."""
    notes: int
    example: str | None
    error: str | None


@dataclass(frozen=True)
class IssueLine:
    """The files with one issue, and the path of one."""

    name: str
    files: int
    example: str


@dataclass(frozen=True)
class CopiedContent:
    """A content that several of the files have, and the first paths of them."""

    files: int
    size_bytes: int
    """Size of one file."""
    paths: list[str]


@dataclass(frozen=True)
class Duplicates:
    """The contents that several of the files have."""

    contents: int
    copies: int
    """Files beyond the first one of each."""
    bytes: int
    """Size of those."""
    largest: list[CopiedContent]
    """Most files first, then the largest."""


@dataclass(frozen=True)
class NearDuplicates:
    """Groups of contents that are nearly the same music."""

    groups: int
    contents: int
    largest: list[tuple[int, NearGroup]]
    """The number of contents of a group and its first ones, those with most contents first."""


@dataclass(frozen=True)
class LibraryReport:
    """Facts of the files that a query finds."""

    query: str
    statuses: list[StatusLine]
    """Those that occur, in the order of schema.STATUSES."""
    issues: list[IssueLine]
    """The most frequent one first."""
    counts: Counts
    """How many files have each value of the expressions of report_counts."""
    duplicates: Duplicates
    near: NearDuplicates | None
    """None where there are more than MAX_NEAR contents."""
    slowest: list[FileTime]
    runs: list[Run]
    """The latest ones of the whole library, the first one first."""

    @property
    def files(self) -> int:
        """Number of files."""
        return sum(line.files for line in self.statuses)

    @property
    def analysed(self) -> int:
        """Number of files with an analysis."""
        return sum(line.files for line in self.statuses if STATUSES.index(line.status) in ANALYSED)

    @property
    def bytes(self) -> int:
        """Size of the files; that of an archive includes its members."""
        return sum(line.bytes for line in self.statuses if line.status != STATUSES[OPENED])


def library_report(library: Snapshot, query: Query, progress: Callable[[str], None] = lambda doing: None) -> LibraryReport:
    """Read the library in seven passes. ``progress`` is told what is being done."""
    condition, values = query.condition(library)
    join = "JOIN" if query.needs_content else "LEFT JOIN"
    rows = f"FROM files f {join} analyses a ON a.id = f.analysis_id WHERE {condition}", values
    progress("counting files")
    statuses = _status_lines(library, rows)
    files = sum(line.files for line in statuses)
    counts = count_values(library, rows, lambda done: progress(f"reading facts, {100 * done // max(files, 1)} %"))
    progress("counting issues")
    issues = _issue_lines(library, rows)
    progress("looking for duplicates")
    duplicates = _duplicates(library, rows)
    progress("looking for near-duplicates")
    near = _near(library, rows)
    progress("looking for the slowest files")
    runs = latest_runs(library, MAX_RUNS)[::-1]
    return LibraryReport(query.text, statuses, issues, counts, duplicates, near, _slowest(library, rows), runs)


def _status_lines(library: Snapshot, rows: Rows) -> list[StatusLine]:
    seconds = f"CASE WHEN a.duration_s > {MAX_SECONDS} THEN {MAX_SECONDS} ELSE a.duration_s END"
    sums = f"CAST(sum(f.size_bytes) AS bigint), sum({seconds}), CAST(sum(a.note_count) AS bigint)"
    lines = []
    for status, files, size, duration, notes, first in library.rows(
        f"SELECT f.status, count(*), {sums}, min(f.path) {rows[0]} GROUP BY f.status", rows[1]
    ):
        has_example = STATUSES.index(status) not in (OK, OPENED)
        query = f"SELECT error FROM files WHERE path = {library.dialect.placeholder}"
        error = next(library.rows(query, [first]))[0] if has_example else None
        lines.append(StatusLine(status, files, size, duration or 0.0, notes or 0, first if has_example else None, error))
    return sorted(lines, key=lambda line: STATUSES.index(line.status))


def _issue_lines(library: Snapshot, rows: Rows) -> list[IssueLine]:
    files: dict[str, int] = defaultdict(int)
    examples: dict[str, str] = {}
    for bits, count, first in library.rows(
        f"SELECT a.issues, count(*), min(f.path) {rows[0]} AND a.issues <> 0 GROUP BY a.issues", rows[1]
    ):
        for name in issue_names(bits):
            files[name] += count
            examples[name] = min(examples.get(name, first), first)
    return [IssueLine(name, files[name], examples[name]) for name in sorted(files, key=lambda name: (-files[name], name))]


def _duplicates(library: Snapshot, rows: Rows) -> Duplicates:
    where = f"{rows[0]} AND f.analysis_id IS NOT NULL"
    contents = copies = size = 0
    largest: list[tuple[int, int, int]] = []
    query = f"SELECT count(*), max(f.size_bytes), -f.analysis_id {where} GROUP BY f.analysis_id HAVING count(*) > 1"
    for group in library.rows(query, rows[1]):
        contents += 1
        copies += group[0] - 1
        size += (group[0] - 1) * group[1]
        if len(largest) < MAX_GROUPS:
            heapq.heappush(largest, group)
        elif group > largest[0]:
            heapq.heapreplace(largest, group)
    mark = library.dialect.placeholder
    paths = f"SELECT f.path {where} AND f.analysis_id = {mark} ORDER BY f.path LIMIT {mark}"
    found = [
        CopiedContent(files, size_bytes, [path for (path,) in library.rows(paths, [*rows[1], -minus_id, MAX_PATHS])])
        for files, size_bytes, minus_id in sorted(largest, reverse=True)
    ]
    return Duplicates(contents, copies, size, found)


def _near(library: Snapshot, rows: Rows) -> NearDuplicates | None:
    query = f"SELECT DISTINCT f.analysis_id {rows[0]} AND f.analysis_id IS NOT NULL LIMIT {MAX_NEAR + 1}"
    found = {number for (number,) in library.rows(query, rows[1])}
    if len(found) > MAX_NEAR:
        return None
    groups = near_contents(library, among=found)
    largest = [(len(numbers), near_group(library, numbers[:MAX_PATHS])) for numbers in groups[:MAX_GROUPS]]
    return NearDuplicates(len(groups), sum(map(len, groups)), largest)


def _slowest(library: Snapshot, rows: Rows) -> list[FileTime]:
    where = f"{rows[0]} AND f.analysis_us IS NOT NULL ORDER BY f.analysis_us DESC, f.path LIMIT {library.dialect.placeholder}"
    return [FileTime(path, us / 1e6) for path, us in library.rows(f"SELECT f.path, f.analysis_us {where}", [*rows[1], MAX_FILES])]
