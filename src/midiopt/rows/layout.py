"""Where each column lies in a row: offsets and sizes as a C compiler lays out the struct.

Workers pack rows, the parent reads them as numpy arrays, and compiled code walks them; all three take the layout from
here. It is computed without numpy, whose import costs a worker a tenth of a second.
"""

from __future__ import annotations

from typing import NamedTuple

from midiopt.kinds import CODES, ENUM, HASH16
from midiopt.schema import ANALYSES, FILES, TRACKS, Column, Table

NO_HASH = bytes(HASH16.items)  # the content hash where there is no content
NO_NULL = -(2**63)  # no valid value of any kind


class Field(NamedTuple):
    """One column for compiled code, which copies it into the struct of that name in layout.pxd."""

    kind: int  # its number in kinds.KINDS
    offset: int  # bytes from the start of the row
    size: int  # bytes
    first: int  # member of a set that bit 0 stands for
    nullable: bool
    null: int  # integer that stands for null; NO_NULL where no integer does
    low: int  # least and greatest valid integer
    high: int
    names: tuple[str, ...]  # of an enumeration


class RowLayout:
    """How a row of one table is laid out: a Field per column, the bytes of a row and their struct format."""

    def __init__(self, table: Table):
        self.table = table
        self.fields: list[Field] = []
        self.struct_format = "<"  # unpacks one value per column
        at = widest = 0
        for column in table:
            alignment = _alignment(column)
            offset = -(-at // alignment) * alignment
            field = _field(column, offset)
            self.struct_format += f"{offset - at}x" + (column.kind.struct or f"{field.size}s")
            self.fields.append(field)
            at = offset + field.size
            widest = max(widest, alignment)
        self.size = -(-at // widest) * widest
        self.struct_format += f"{self.size - at}x"


def _alignment(column: Column) -> int:
    """Bytes of an item; numpy dtypes end with that number."""
    return int(column.kind.numpy[-1])


def _field(column: Column, offset: int) -> Field:
    kind = column.kind
    size = (kind.items or column.bits // 8) * _alignment(column)
    null = int(kind.null) if kind.null is not None and kind.null == kind.null else NO_NULL
    high = len(column.values) - 1 if kind is ENUM else kind.high
    return Field(CODES[kind], offset, size, column.first, column.nullable, null, kind.low, high, column.values)


FILES_LAYOUT, ANALYSES_LAYOUT, TRACKS_LAYOUT = RowLayout(FILES), RowLayout(ANALYSES), RowLayout(TRACKS)
LAYOUTS = {FILES: FILES_LAYOUT, ANALYSES: ANALYSES_LAYOUT, TRACKS: TRACKS_LAYOUT}
