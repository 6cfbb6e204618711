"""Rows to Python objects."""

from __future__ import annotations

from typing import Any

from midiopt.kinds import NULL_TEXT
from midiopt.rows.layout import LAYOUTS
from midiopt.rows.row_decoder import RowDecoder
from midiopt.schema import Table

_DECODERS = {table: RowDecoder(layout.fields) for table, layout in LAYOUTS.items()}


def row_to_values(table: Table, row: Any, heap: bytes | bytearray) -> list[object]:
    """The values of one row in column order, None for null. ``row`` is the bytes of the row, or an item of an array."""
    return _DECODERS[table].values(row, heap)


def text_of(row: Any, column: str, heap: bytes) -> str | None:
    """The text of a column in a row of an array."""
    offset, length = row[column].tolist()
    return None if length == NULL_TEXT else heap[offset : offset + length].decode()


def row_to_dict(table: Table, row: Any, heap: bytes | bytearray) -> dict[str, object]:
    """The same by column name."""
    return dict(zip((column.name for column in table), row_to_values(table, row, heap), strict=True))
