"""The columns of every table as Markdown, made from schema.py: part of docs/columns.md."""

from __future__ import annotations

from collections.abc import Iterable

from midiopt.schema import LIBRARY_ONLY, Column
from midiopt.sinks.name_tables import RELATIONS


def line(column: Column) -> str:
    kind = column.kind.label + (", null" if column.nullable else "")
    return f"| `{column.name}` | {kind} | {column.description} |"


def table(columns: Iterable[Column]) -> str:
    return "\n".join(["| column | type | meaning |", "|---|---|---|", *map(line, columns)])


# By the name of the table or view.
_SHOWN = ("files", "analyses", "tracks", "runs", "programs", "drum_sounds", "issue_names", "library_issues", "facets")
TABLES: dict[str, tuple[Column, ...]] = {name: RELATIONS[name][2] for name in _SHOWN} | {"library": LIBRARY_ONLY}
