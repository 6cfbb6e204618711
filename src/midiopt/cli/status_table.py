"""What a database holds, on one screen of a terminal; in a pipe everything, and no line is folded or cut."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

from midiopt.cli.fit import cell_len, fit_end, fit_path
from midiopt.cli.last_run import run_lines
from midiopt.cli.styles import styled
from midiopt.library.status import LibraryStatus
from midiopt.wording import counted, printable_text, size_text

NAMES, COUNTS = 24, 10  # columns of the terminal
MIN_ISSUES = 2
MORE_THAN_NEEDED = 1000  # rows, where there is no screen to fit
TITLE = "bold cyan"
Line: TypeAlias = list[tuple[str, str]]  # texts and their styles
COLOURS = {"ok": "green", "opened": "green", "repaired": "yellow", "rejected": "red", "unreadable": "red", "crashed": "bold red"}


class Row(NamedTuple):
    """A name, a number, and a path with what is said about it; without a number a title."""

    name: str
    number: str = ""
    path: str = ""
    about: str = ""
    colour: str = ""


def print_status(database: str, status: LibraryStatus) -> None:
    """Print it on standard output."""
    if not sys.stdout.isatty():
        print("\n".join(plain_lines(database, status)))
        return
    from shutil import get_terminal_size  # which takes 3 ms

    size = get_terminal_size()
    for line in screen_lines(database, status, size.columns, size.lines):
        print("".join(styled(text, style) for text, style in line))


def plain_lines(database: str, status: LibraryStatus) -> Iterator[str]:
    """Everything, as long as it is."""
    yield printable_text(database)
    for name, number, path, about, _ in _rows(status, MORE_THAN_NEEDED, MORE_THAN_NEEDED):
        where = ": ".join(filter(None, [path, about]))
        yield printable_text(f"{name:{NAMES}}{number:>{COUNTS}}  {where}".rstrip())
    yield from map(printable_text, ["", "last run", *(f"  {line}" for line in run_lines(status.last_run, dt.datetime.now(dt.UTC)))])


def screen_lines(database: str, status: LibraryStatus, width: int, height: int) -> Iterator[Line]:
    """Lines that are no wider than the terminal, and as many as it has, but for the one with the next prompt."""
    yield [(fit_path(printable_text(database), width), "bold")]
    words = [printable_text(line) for line in run_lines(status.last_run, dt.datetime.now(dt.UTC))]
    run = [line for text in words for line in _folded(text, width - 2)]
    files = 1 + max(0, height - 24) // 6
    fixed = len(list(_rows(status, 0, files))) + 4  # and the database, an empty line, a title, the prompt
    if fixed + len(run) + MIN_ISSUES > height:
        run = [fit_end(text, width - 2) for text in words]
    for row in _rows(status, max(MIN_ISSUES, height - fixed - len(run)), files):
        yield _line(row, width)
    yield []
    yield [("last run", TITLE)]
    yield from ([(f"  {line}", "")] for line in run)


def _rows(status: LibraryStatus, issues: int, files: int) -> Iterator[Row]:
    """All rows above the last run, with so many issues, and so many of the slowest and of the largest files."""
    missing = status.missing
    moved = f", {missing.found_elsewhere:,} moved" if missing.found_elsewhere else ""
    yield Row("files", f"{status.file_count:,}", size_text(status.bytes) + (f"; {missing.files:,} missing{moved}" if missing.files else ""))
    for name, found in status.files.items():
        if found.files:
            yield Row(f"  {name}", f"{found.files:,}", found.example or "", found.error or "", COLOURS[name])
    yield Row("contents", f"{status.contents:,}", "", counted(status.duplicates, "duplicate"))
    if files > 1 and missing.files:
        yield Row("missing", f"{missing.files:,}", missing.example or "")
    if files > 1 and missing.found_elsewhere:
        yield Row("  found elsewhere", f"{missing.found_elsewhere:,}", missing.moved_example or "", f"now {missing.moved_to}")
    yield Row("database", size_text(status.database_bytes))
    if status.issues:
        yield Row("")
        yield Row("issues")
    shown = list(status.issues.items())[:issues] if len(status.issues) > issues else list(status.issues.items())
    for name, issue in shown:
        yield Row(f"  {name}", f"{issue.files:,}", issue.example)
    if others := list(status.issues.items())[len(shown) :]:
        yield Row(f"  and {len(others)} more", "", "", ", ".join(f"{name} {issue.files:,}" for name, issue in others))
    if files and (status.slowest or status.largest):
        yield Row("")
    for i, slow in enumerate(status.slowest[:files]):
        yield Row("" if i else "slowest", f"{slow.seconds * 1000:,.1f} ms", slow.path)
    for i, large in enumerate(status.largest[:files]):
        yield Row("" if i else "largest", size_text(large.bytes), large.path)


def _line(row: Row, width: int) -> Line:
    is_title = bool(row.name) and not (row.number or row.path or row.about)
    if is_title:
        return [(row.name, TITLE)]
    names = NAMES if width >= 72 else 20
    is_rest = row.name.startswith("  and ")
    line = [(fit_end(row.name, names).ljust(names), "" if is_rest else "cyan"), (f"{row.number:>{COUNTS}}", row.colour)]
    room = width - names - COUNTS - 2
    path, about = printable_text(row.path), printable_text(row.about)
    if about and path:
        path = fit_path(path, max(room - cell_len(about) - 2, room // 2))
        about = ": " + fit_end(about, room - cell_len(path) - 2)
    return [*line, ("  " + fit_path(path, room), ""), (about if path else fit_end(about, room), "dim")]


def _folded(text: str, width: int) -> Iterable[str]:
    """On at most two lines."""
    from textwrap import wrap

    lines = wrap(text, max(width, 1), break_on_hyphens=False)
    return [lines[0], fit_end(" ".join(lines[1:]), width)] if len(lines) > 2 else lines
