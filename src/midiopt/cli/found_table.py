"""The files that a search has found as a table that fits the terminal: the wider it is, the more columns it has."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from typing import NamedTuple

from midiopt.cli.fit import cell_len, fit_end, fit_path
from midiopt.cli.styles import styled
from midiopt.general_midi import PROGRAMS
from midiopt.library.search import Found
from midiopt.wording import clock, printable_text

GAP = 2  # between columns
MIN_PATH = 28  # columns of the terminal that a path has before any other column beyond the first ones is shown


class _Column(NamedTuple):
    """What a column shows of a file."""

    name: str
    text: Callable[[Found], str]
    is_right: bool = False
    max_width: int = 12
    from_width: int = 0  # of the terminal


COLUMNS = (
    _Column("bpm", lambda file: "" if file.bpm is None else f"{file.bpm:.1f}".removesuffix(".0"), is_right=True),
    _Column("key", lambda file: file.key or ""),
    _Column("meter", lambda file: file.meter or ""),
    _Column("time", lambda file: "" if file.duration_s is None else clock(file.duration_s), is_right=True),
    _Column("notes", lambda file: "" if file.note_count is None else f"{file.note_count:,}", is_right=True, from_width=72),
    _Column("role", lambda file: file.role or ("" if file.status in ("ok", "repaired") else file.status), from_width=72),
    _Column("program", lambda file: "" if file.primary_program is None else PROGRAMS[file.primary_program], max_width=23, from_width=120),
    _Column("chords", lambda file: file.chord_progression or "", max_width=24, from_width=160),
    _Column("title", lambda file: file.title or "", max_width=30, from_width=110),
)


def table(files: list[Found]) -> str:
    """The lines of the table. In a pipe no text is cut, and every column is there."""
    is_terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if is_terminal else 1 << 16
    rows = [[printable_text(column.text(file)) for column in COLUMNS] for file in files]
    shown: list[tuple[int, _Column, int]] = []
    room = width
    for i, column in enumerate(COLUMNS):
        widest = min(max(len(column.name), *(cell_len(row[i]) for row in rows)), column.max_width if is_terminal else width)
        is_empty = not any(row[i] for row in rows)
        if not is_empty and width >= column.from_width and (room - widest - GAP >= MIN_PATH or len(shown) < 2):
            shown.append((i, column, widest))
            room -= widest + GAP
    lines = ["".join(_cell(column.name, size, column.is_right) for _, column, size in shown) + "path"]
    if is_terminal:
        lines = [styled(lines[0], "bold")]
    for row, file in zip(rows, files, strict=True):
        cells = "".join(_cell(row[i], size, column.is_right) for i, column, size in shown)
        lines.append(cells + fit_path(printable_text(file.path), max(room, 1)))
    return "\n".join(lines)


def _cell(text: str, width: int, is_right: bool) -> str:
    text = fit_end(text, width)
    space = " " * (width - cell_len(text))
    return (space + text if is_right else text + space) + " " * GAP
