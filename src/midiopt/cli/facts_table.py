"""The facts of one file as tables of what belongs together: folded on a terminal, above a picture, one line per fact in a pipe."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from textwrap import indent

from midiopt.api.analysis import Analysis
from midiopt.display.fact_sections import sections
from midiopt.display.fact_values import Fact
from midiopt.wording import printable_text

TYPE_CHECKING = False  # see midiopt/__init__.py
if TYPE_CHECKING:
    from rich.table import Table

NAME_WIDTH, INDENT, GUTTER = 24, 2, 4
TITLE = "bold cyan"
TWO_COLUMNS = 132  # terminal columns from which sections stand side by side


def print_facts(title: str, facts: Analysis, content: memoryview) -> None:
    """Print the facts of a file with this content on standard output."""
    if not sys.stdout.isatty():
        print(plain_text(title, facts))
        return
    from rich.console import Console

    console = Console(highlight=False)
    console.print(printable_text(title), style="bold", markup=False, soft_wrap=True)
    console.print(_layout(facts, console.width))
    if facts.note_count and _has_blocks(sys.stdout.encoding):
        from midiopt.cli.time_picture import picture

        console.print("\nover time", style=TITLE)
        for line in picture(content, console.width, is_coloured=console.color_system is not None and not console.no_color):
            console.print(line, no_wrap=True, overflow="crop")


def _has_blocks(encoding: str) -> bool:
    """Whether the terminal can show half blocks."""
    try:
        "▀▁┈".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def plain_text(title: str, facts: Analysis) -> str:
    """A line per fact, however long, for pipes."""
    lines = [printable_text(title)]
    for section, rows in sections(facts):
        lines += ["", section]
        for name, value, remark, _ in rows:
            lines.append(f"  {name:{NAME_WIDTH}}{value}" + (f"  ({remark})" if remark else "") if name else f"  {value}")
    return "\n".join(lines)


def _layout(facts: Analysis, width: int) -> Table:
    from rich.table import Table

    cells = (width if width < TWO_COLUMNS else width // 2 - GUTTER) - NAME_WIDTH - INDENT
    tables = [(len(rows), _section(title, rows, cells)) for title, rows in sections(facts)]
    if width < TWO_COLUMNS:
        return _stacked(table for _, table in tables)
    half, height, count = sum(rows + 2 for rows, _ in tables) / 2, 0, 0
    for rows, _ in tables:
        if height + (rows + 2) / 2 > half:
            break
        height, count = height + rows + 2, count + 1
    grid = Table.grid(expand=True, padding=(0, GUTTER, 0, 0))
    grid.add_column(ratio=1)
    grid.add_column(ratio=1)
    grid.add_row(_stacked(table for _, table in tables[:count]), _stacked(table for _, table in tables[count:]))
    return grid


def _stacked(tables: Iterable[Table]) -> Table:
    from rich.table import Table

    grid = Table.grid()
    for table in tables:
        grid.add_row("")
        grid.add_row(table)
    return grid


def _section(title: str, rows: list[Fact], width: int) -> Table:
    """Its values folded to a number of columns."""
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", title_style=TITLE, show_header=False, box=None, padding=0, pad_edge=False)
    if rows[0].name:
        table.add_column(width=INDENT + NAME_WIDTH, no_wrap=True)
    table.add_column(overflow="fold")
    for name, value, remark, is_weak in rows:
        text = Text(_folded(value, width) if name else indent(_folded(value, width + NAME_WIDTH), " " * INDENT))
        if remark:
            is_full = cell_len(text.plain.rpartition("\n")[2]) + len(remark) + 4 > width
            text.append(f"{chr(10) if is_full else '  '}({remark})", style="yellow" if is_weak else "dim")
        table.add_row(*([Text(f"  {name}", style="cyan"), text] if name else [text]))
    return table


def _folded(value: str, width: int) -> str:
    """The value on lines that end between the items of a list; an item that is wider is folded by its words."""
    from rich.cells import cell_len

    lines = [""]
    for item in re.split(r"(?<=[,;] )|(?<=%  )", value):
        if lines[-1] and cell_len(lines[-1] + item.rstrip()) > width:
            lines.append("")
        lines[-1] += item
    return "\n".join(line.rstrip() for line in lines)
