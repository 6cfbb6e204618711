"""A batch of rows: two structured arrays and one heap of text, as workers send and sinks take them.

Text columns hold an offset into the heap and a length, so a batch is three flat buffers. Nothing is pickled between
worker and parent, and the encoders read a batch without creating Python objects.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from midiopt.rows.layout import ANALYSES_LAYOUT, FILES_LAYOUT, RowLayout
from midiopt.rows.wire import HEADER
from midiopt.schema import ANALYSES, FILES, Column, Table

Rows = np.ndarray[Any, np.dtype[np.void]]
TEXT_DTYPE = np.dtype([("offset", "<u4"), ("length", "<u4")], align=True)


def _item_format(column: Column) -> Any:
    kind = column.kind
    if kind.is_text:
        return TEXT_DTYPE
    items = kind.items or column.bits // 8
    return kind.numpy if items == 1 else (kind.numpy, items)


def _dtype(layout: RowLayout) -> np.dtype[np.void]:
    names, formats = [column.name for column in layout.table], [_item_format(column) for column in layout.table]
    offsets = [field.offset for field in layout.fields]
    return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": layout.size, "aligned": True})


FILES_DTYPE, ANALYSES_DTYPE = _dtype(FILES_LAYOUT), _dtype(ANALYSES_LAYOUT)
_TEXT_COLUMNS = {table: [column.name for column in table if column.kind.is_text] for table in (FILES, ANALYSES)}


@dataclass
class Batch:
    """Rows of ``files`` (FILES_DTYPE) and ``analyses`` (ANALYSES_DTYPE) over one UTF-8 heap."""

    files: Rows
    analyses: Rows
    heap: bytes

    def __len__(self) -> int:
        return len(self.files)

    def rows(self, table: Table) -> Rows:
        """The rows of FILES or ANALYSES."""
        return self.files if table is FILES else self.analyses

    @classmethod
    def from_bytes(cls, data: bytes) -> Batch:
        """The batch in a message (wire.py). The arrays are views of ``data``."""
        n, m, heap = HEADER.unpack_from(data)
        at = HEADER.size
        files = np.frombuffer(data, FILES_DTYPE, n // FILES_DTYPE.itemsize, at)
        analyses = np.frombuffer(data, ANALYSES_DTYPE, m // ANALYSES_DTYPE.itemsize, at + n)
        return cls(files, analyses, data[at + n + m : at + n + m + heap])

    @classmethod
    def concat(cls, batches: list[Batch]) -> Batch:
        """One batch with all rows in order; text offsets are shifted to the joined heap."""
        if len(batches) == 1:
            return batches[0]
        files = _joined([b.files for b in batches], FILES_DTYPE)
        analyses = _joined([b.analyses for b in batches], ANALYSES_DTYPE)
        heap_starts = np.cumsum([0] + [len(b.heap) for b in batches[:-1]])
        for table, rows in ((FILES, files), (ANALYSES, analyses)):
            shift = np.repeat(heap_starts, [len(b.rows(table)) for b in batches]).astype("<u4")
            for name in _TEXT_COLUMNS[table]:
                rows[name]["offset"] += shift
        return cls(files, analyses, b"".join(b.heap for b in batches))


def _joined(rows: list[Rows], dtype: np.dtype[np.void]) -> Rows:
    """The rows in one array, joined as bytes: numpy copies structured arrays field by field."""
    return np.concatenate([np.ascontiguousarray(r).view("u1") for r in rows]).view(dtype)
