"""The table of columns in the README, made from the schema: python -m docs.generate_columns prints it."""

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


if __name__ == "__main__":
    for title, columns in (
        ("files`, one row per path", FILES),
        ("analyses`, one row per distinct content", ANALYSES),
        ("library`, beside those of both tables", LIBRARY_ONLY),
        ("runs`, one row per run", RUNS),
    ):
        print(f"`{title}:\n\n{table(columns)}\n")
