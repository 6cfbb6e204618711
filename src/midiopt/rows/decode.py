"""Rows to Python objects."""

from __future__ import annotations

import struct
from typing import Any

from midiopt.kinds import NULL_TEXT, Decode
from midiopt.rows.layout import LAYOUTS
from midiopt.schema import Column, Table


class _RowDecoder:
    """Unpacks all columns of a row at once; then replaces the values that are not yet the Python value."""

    def __init__(self, table: Table):
        self.names = [column.name for column in table]
        self.unpack = struct.Struct(LAYOUTS[table].struct_format).unpack_from
        decoders = ((i, _decoder(column)) for i, column in enumerate(table))
        self.decoders = [(i, decode) for i, decode in decoders if decode]


def _decoder(column: Column) -> Decode | None:
    kind = column.kind
    if kind.decoder:
        return kind.decoder(column.values, column.first)
    if not column.nullable:
        return None
    null = kind.null
    if null != null:
        return lambda value, heap: value if value == value else None
    return lambda value, heap: None if value == null else value


_DECODERS = {table: _RowDecoder(table) for table in LAYOUTS}


def row_to_values(table: Table, row: Any, heap: bytes | bytearray) -> list[object]:
    """The values of one row of ``files`` or ``analyses`` in column order, None for null.

    ``row`` is the bytes of the row, or an item of an array. An analysis takes 11 us; a field at a time from numpy took 146.
    """
    decoder = _DECODERS[table]
    values: list[object] = list(decoder.unpack(row))
    for i, decode in decoder.decoders:
        values[i] = decode(values[i], heap)
    return values


def text_of(row: Any, column: str, heap: bytes) -> str | None:
    """The text of a column in a row of an array."""
    offset, length = row[column].tolist()
    return None if length == NULL_TEXT else heap[offset : offset + length].decode()


def row_to_dict(table: Table, row: Any, heap: bytes | bytearray) -> dict[str, object]:
    """The same by column name."""
    return dict(zip(_DECODERS[table].names, row_to_values(table, row, heap), strict=True))
