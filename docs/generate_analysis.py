"""Write the fields of midiopt.Analysis in src/midiopt/api/analysis.py, one per column of schema.py: python -m docs.generate_analysis

A class made at import would do the same, but type checkers and editors would not know its fields.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from midiopt.schema import ANALYSES, Column

MODULE = Path(__file__).resolve().parent.parent / "src" / "midiopt" / "api" / "analysis.py"
WIDTH = 140
BEGIN, END = "    # begin columns", "    # end columns"


def docstring(text: str, indent: str = "    ") -> str:
    """A docstring under a field."""
    lines = textwrap.wrap(text, WIDTH - len(indent) - 6)
    return "\n".join([f'{indent}"""{lines[0]}', *(indent + line for line in lines[1:])]) + '"""\n'


def field(column: Column) -> str:
    """The field of one column with its docstring."""
    annotation = column.kind.python + (" | None" if column.nullable else "")
    meaning = re.sub(r"\bnull\b", "None", column.description)
    if "_" not in meaning.split()[0]:  # not the name of another field
        meaning = meaning[0].upper() + meaning[1:]
    return f"    {column.name}: {annotation}\n" + docstring(f"{meaning}.")


def with_columns(text: str) -> str:
    """The text of the module with the fields of today's columns between the markers."""
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    return "".join((before, BEGIN, "\n", *map(field, ANALYSES), end, after))


def write_columns() -> None:
    """Write the fields into the module."""
    MODULE.write_text(with_columns(MODULE.read_text()))


if __name__ == "__main__":
    write_columns()
