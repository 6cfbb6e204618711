"""A batch of rows: structured arrays and one heap of text, as workers send and sinks take them.

Text columns hold an offset into the heap and a length, so a batch is a few flat buffers. Nothing is pickled between
worker and parent, and the encoders read a batch without creating Python objects.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from midiopt.kinds import NULL_TEXT
from midiopt.rows.layout import ANALYSES_LAYOUT, FILES_LAYOUT, TRACKS_LAYOUT, RowLayout
from midiopt.rows.wire import HEADER, message
from midiopt.schema import ANALYSES, FILES, TRACKS, Column, Table

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


FILES_DTYPE, ANALYSES_DTYPE, TRACKS_DTYPE = _dtype(FILES_LAYOUT), _dtype(ANALYSES_LAYOUT), _dtype(TRACKS_LAYOUT)
_TEXT_COLUMNS = {table: [column.name for column in table if column.kind.is_text] for table in (FILES, ANALYSES, TRACKS)}
_NO_TRACKS = np.empty(0, TRACKS_DTYPE)


@dataclass
class Batch:
    """Rows of ``files`` (FILES_DTYPE) and ``analyses`` (ANALYSES_DTYPE) over one UTF-8 heap, and of ``tracks`` (TRACKS_DTYPE), if
    asked for: then a content has all its tracks in the batch that has its analysis."""

    files: Rows
    analyses: Rows
    heap: bytes
    tracks: Rows = field(default_factory=lambda: _NO_TRACKS)

    def __len__(self) -> int:
        return len(self.files)

    def rows(self, table: Table) -> Rows:
        """The rows of FILES, ANALYSES or TRACKS."""
        return self.files if table is FILES else self.analyses if table is ANALYSES else self.tracks

    def paths(self, files: Rows | None = None) -> list[str]:
        """The paths of these rows of ``files``, by default of all."""
        places = (self.files if files is None else files)["path"]
        return [self.heap[at : at + length].decode(errors="replace") for at, length in places.tolist()]

    def files_only(self) -> Batch:
        """The rows of ``files`` alone, over a heap that has no other texts."""
        files, heap = self.files.copy(), bytearray()
        for name in _TEXT_COLUMNS[FILES]:
            texts = files[name]
            for i, (offset, length) in enumerate(texts.tolist()):
                if length != NULL_TEXT:
                    texts[i] = len(heap), length
                    heap += self.heap[offset : offset + length]
        return Batch(files, self.analyses[:0], bytes(heap))

    def to_bytes(self, report: bytes = b"") -> bytes:
        """The message with these rows."""
        files, analyses, tracks = (np.ascontiguousarray(rows).tobytes() for rows in (self.files, self.analyses, self.tracks))
        return message(files, analyses, tracks, self.heap, report)

    @classmethod
    def from_bytes(cls, data: bytes) -> Batch:
        """The batch in a message (wire.py). The arrays are views of ``data``."""
        *sizes, heap = HEADER.unpack_from(data)
        at = HEADER.size
        rows = []
        for size, dtype in zip(sizes, (FILES_DTYPE, ANALYSES_DTYPE, TRACKS_DTYPE), strict=True):
            rows.append(np.frombuffer(data, dtype, size // dtype.itemsize, at))
            at += size
        return cls(rows[0], rows[1], data[at : at + heap], rows[2])

    @classmethod
    def concat(cls, batches: list[Batch]) -> Batch:
        """One batch with all rows in order; text offsets are shifted to the joined heap."""
        if len(batches) == 1:
            return batches[0]
        heap_starts = np.cumsum([0] + [len(b.heap) for b in batches[:-1]])
        joined: list[Rows] = []
        for table, dtype in ((FILES, FILES_DTYPE), (ANALYSES, ANALYSES_DTYPE), (TRACKS, TRACKS_DTYPE)):
            rows = _joined([b.rows(table) for b in batches], dtype)
            shift = np.repeat(heap_starts, [len(b.rows(table)) for b in batches]).astype("<u4")
            for name in _TEXT_COLUMNS[table]:
                rows[name]["offset"] += shift
            joined.append(rows)
        return cls(joined[0], joined[1], b"".join(b.heap for b in batches), joined[2])


def _joined(rows: list[Rows], dtype: np.dtype[np.void]) -> Rows:
    """The rows in one array, joined as bytes: numpy copies structured arrays field by field."""
    return np.concatenate([np.ascontiguousarray(r).view("u1") for r in rows]).view(dtype)
