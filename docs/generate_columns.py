"""The columns of every table as Markdown, made from schema.py: part of docs/columns.md."""

from __future__ import annotations

from midiopt.schema import ANALYSES, FILES, LIBRARY_ONLY, RUNS, Column

TYPES = {
    "texts": "list of text", "floats": "12 float32", "hash16": "16 bytes", "hash8": "8 bytes", "enum": "text", "set": "set of int16",
    "time": "timestamp",
}  # fmt: skip


def line(column: Column) -> str:
    kind = TYPES.get(column.kind, column.kind) + (", null" if column.null else "")
    unit = f" ({column.unit})" if column.unit else ""
    return f"| `{column.name}` | {kind} | {column.meaning}{unit} |"


def table(columns: tuple[Column, ...]) -> str:
    return "\n".join(["| column | type | meaning |", "|---|---|---|", *map(line, columns)])


# By the name of the table or view.
TABLES = {"files": FILES, "analyses": ANALYSES, "library": LIBRARY_ONLY, "runs": RUNS}
