"""The columns of every table as Markdown, made from schema.py: part of docs/columns.md."""

from __future__ import annotations

from collections.abc import Iterable

from midiopt.schema import ANALYSES, FILES, LIBRARY_ONLY, RUNS, Column


def line(column: Column) -> str:
    kind = column.kind.label + (", null" if column.nullable else "")
    unit = f" ({column.unit})" if column.unit else ""
    return f"| `{column.name}` | {kind} | {column.meaning}{unit} |"


def table(columns: Iterable[Column]) -> str:
    return "\n".join(["| column | type | meaning |", "|---|---|---|", *map(line, columns)])


# By the name of the table or view.
TABLES: dict[str, Iterable[Column]] = {"files": FILES, "analyses": ANALYSES, "library": LIBRARY_ONLY, "runs": RUNS}
