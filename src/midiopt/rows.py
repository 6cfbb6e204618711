"""A batch of rows: two structured arrays and one heap of text, as workers send and sinks take them.

Text columns hold offsets into the heap, so a batch is three flat buffers whatever it says: nothing
is pickled on the way from a worker to the parent, and encoders read it without touching Python
objects.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from .schema import ANALYSES, FILES, NULL_ENUM, NULL_INT, NULL_TEXT, Column
from .wire import HEADER, message

TEXT = np.dtype([("offset", "<u4"), ("length", "<u4")], align=True)
_NUMPY = {
    "text": TEXT, "texts": TEXT, "int16": "<i2", "int32": "<i4", "int64": "<i8", "time": "<i8",
    "float32": "<f4", "float64": "<f8", "floats": ("<f4", 12), "hash16": ("u1", 16), "hash8": ("u1", 8), "enum": "u1",
    "bool": "u1",
}  # fmt: skip


def _dtype(columns: tuple[Column, ...]) -> np.dtype:
    def field(c: Column):
        kind = ("u1", c.bits // 8) if c.kind == "set" else _NUMPY[c.kind]
        return (c.name, *kind) if isinstance(kind, tuple) else (c.name, kind)

    return np.dtype([field(c) for c in columns], align=True)  # aligned as a C compiler lays out the struct


FILES_DTYPE = _dtype(FILES)
ANALYSES_DTYPE = _dtype(ANALYSES)

_TEXTS = {table: [c.name for c in columns if c.kind in ("text", "texts")] for table, columns in (("files", FILES), ("analyses", ANALYSES))}


@dataclass
class Batch:
    """Rows of ``files`` (FILES_DTYPE) and ``analyses`` (ANALYSES_DTYPE) over one UTF-8 heap."""

    files: np.ndarray
    analyses: np.ndarray
    heap: bytes

    def __len__(self) -> int:
        return len(self.files)

    def to_bytes(self) -> bytes:
        return message(self.files.tobytes(), self.analyses.tobytes(), self.heap)

    @classmethod
    def from_bytes(cls, data: bytes) -> Batch:
        n, m, heap = HEADER.unpack_from(data)
        at = HEADER.size
        files = np.frombuffer(data, FILES_DTYPE, n // FILES_DTYPE.itemsize, at)
        analyses = np.frombuffer(data, ANALYSES_DTYPE, m // ANALYSES_DTYPE.itemsize, at + n)
        return cls(files, analyses, data[at + n + m : at + n + m + heap])

    @classmethod
    def concat(cls, batches: list[Batch]) -> Batch:
        """One batch with all rows in order; text offsets are moved to the joined heap."""
        if len(batches) == 1:
            return batches[0]
        # Into arrays of the same dtype: concatenate() alone would drop the padding between fields.
        files = np.concatenate([b.files for b in batches], out=np.empty(sum(len(b.files) for b in batches), FILES_DTYPE))
        analyses = np.concatenate([b.analyses for b in batches], out=np.empty(sum(len(b.analyses) for b in batches), ANALYSES_DTYPE))
        base = np.cumsum([0] + [len(b.heap) for b in batches[:-1]])
        for table, rows in (("files", files), ("analyses", analyses)):
            shift = np.repeat(base, [len(getattr(b, table)) for b in batches]).astype("<u4")
            for name in _TEXTS[table]:
                rows[name]["offset"] += shift
        return cls(files, analyses, b"".join(b.heap for b in batches))


def value(column: Column, field, heap: bytes | bytearray):
    """One field of a row as a Python object; None for null. Slow and plain: for people and tests."""
    kind = column.kind
    if kind in ("text", "texts"):
        offset, length = int(field["offset"]), int(field["length"])
        if length == NULL_TEXT:
            return None
        text = bytes(heap[offset : offset + length]).decode()
        return text if kind == "text" else text.split("\0") if text else []
    if kind == "enum":
        return None if field == NULL_ENUM else column.values[field]
    if kind == "bool":
        return None if field == NULL_ENUM else bool(field)
    if kind in NULL_INT:
        return None if field == NULL_INT[kind] else int(field)
    if kind in ("float32", "float64"):
        return None if np.isnan(field) else float(field)
    if kind == "floats":
        return [float(x) for x in field]
    if kind == "set":
        return [column.first + int(i) for i in np.flatnonzero(np.unpackbits(field, bitorder="little"))]
    if kind == "time":
        return dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(microseconds=int(field))
    return field.tobytes() if field.any() else None  # hash16, hash8


def record(columns: tuple[Column, ...], row, heap: bytes | bytearray) -> dict[str, object]:
    """One row as a dict of Python objects, in column order."""
    return {c.name: value(c, row[c.name], heap) for c in columns}
