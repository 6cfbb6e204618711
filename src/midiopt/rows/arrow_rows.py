"""The rows of a batch as an Arrow record batch: a file and the facts of its content in one row."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from midiopt.kinds import BOOL, ENUM, FLOAT32, FLOAT64, HASH8, HASH16, NULL_ENUM, SET, SHARES, SKETCH, TEXT, TEXTS, TIME
from midiopt.rows.arrow_schema import FACTS, arrow_schema, arrow_type
from midiopt.rows.batch import Batch, Rows
from midiopt.rows.layout import LAYOUTS
from midiopt.rows.text_columns import gather_texts
from midiopt.schema import ANALYSED, ANALYSES, FILES, Column, Table

if TYPE_CHECKING:
    import pyarrow as pa

_HEXADECIMAL = np.frombuffer(b"".join(b"%02x" % value for value in range(256)), "V2")


class RowTables:
    """Makes Arrow rows; ``schema`` is that of ROW_COLUMNS."""

    def __init__(self, pa: Any) -> None:
        self._pa = pa
        self.schema: pa.Schema = arrow_schema(pa)
        self._makers = {table: [self._maker(table, column) for column in columns] for table, columns in ((FILES, FILES), (ANALYSES, FACTS))}

    def record_batch(self, batch: Batch) -> pa.RecordBatch:
        """A row per file of the batch, in order. The facts of a file are null unless the batch has the analysis of its content.

        Raises ValueError for a value that no column holds: a text outside the heap or that is not UTF-8, or an unknown enumeration value.
        """
        pa = self._pa
        files = self._arrays(FILES, batch.files, batch.heap)
        at = _rows_of_analyses(batch)
        facts = self._arrays(ANALYSES, batch.analyses, batch.heap)
        if not np.array_equal(at, np.arange(len(batch.analyses))):
            indices = pa.array(at, pa.int32(), mask=at < 0)
            facts = [array.take(indices) for array in facts]
        missing_since = pa.nulls(len(batch), self.schema.types[-1])
        return pa.RecordBatch.from_arrays([*files, *facts, missing_since], schema=self.schema)

    def _arrays(self, table: Table, rows: Rows, heap: bytes) -> list[Any]:
        return [make(rows, heap) for make in self._makers[table]]

    def _maker(self, table: Table, column: Column) -> Callable[[Rows, bytes], Any]:
        """What makes the array of a column."""
        kind, name = column.kind, column.name
        offset = LAYOUTS[table].fields[table.columns.index(column)].offset
        if kind is TEXT:
            return lambda rows, heap: self._texts(rows, offset, heap)
        if kind is TEXTS:
            return lambda rows, heap: self._lists_of_texts(rows, column, offset, heap)
        make = {
            ENUM: self._names,
            BOOL: self._booleans,
            TIME: self._times,
            SHARES: self._shares,
            SET: self._sets,
            SKETCH: self._sketches,
            HASH8: self._hashes,
            HASH16: self._hashes,
            FLOAT32: self._floats,
            FLOAT64: self._floats,
        }.get(kind, self._integers)
        return lambda rows, heap: make(column, np.ascontiguousarray(rows[name]))

    def _texts(self, rows: Rows, offset: int, heap: bytes) -> Any:
        ends, text, valid = gather_texts(rows, offset, heap)
        text.decode()  # raises UnicodeDecodeError, which is a ValueError
        buffers = [self._pa.py_buffer(buffer) for buffer in (valid, ends, text)]
        return self._pa.StringArray.from_buffers(len(rows), buffers[1], buffers[2], buffers[0])

    def _lists_of_texts(self, rows: Rows, column: Column, offset: int, heap: bytes) -> Any:
        """The items of a list are joined by NUL, and none is empty."""
        encoded, joined, _ = gather_texts(rows, offset, heap)
        joined.decode()
        ends = np.frombuffer(encoded, "<i4")
        at = np.flatnonzero(np.frombuffer(joined, "u1") == 0)
        first = np.unique(np.concatenate((ends[:-1][ends[1:] > ends[:-1]], at + 1)))  # of each item, in the joined text
        starts = first - np.searchsorted(at, first)  # in the text without NULs
        text = joined.replace(b"\0", b"")
        items = self._pa.StringArray.from_buffers(
            len(first), self._pa.py_buffer(np.append(starts, len(text)).astype("<i4")), self._pa.py_buffer(text)
        )
        return self._list(column, np.searchsorted(first, ends), items)

    def _list(self, column: Column, ends: Any, items: Any, mask: Any = None) -> Any:
        pa = self._pa
        return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), items, arrow_type(pa, column), mask=mask)

    def _integers(self, column: Column, values: Any) -> Any:
        return self._pa.array(values, mask=values == column.kind.null if column.nullable else None)

    def _floats(self, column: Column, values: Any) -> Any:
        return self._pa.array(values, mask=np.isnan(values) if column.nullable else None)

    def _names(self, column: Column, values: Any) -> Any:
        mask = values == NULL_ENUM
        if len(values) and (known := values[~mask]).size and known.max() >= len(column.values):
            raise ValueError(f"enumeration value {known.max()} has no name")
        return self._pa.DictionaryArray.from_arrays(self._pa.array(values.view("i1"), mask=mask), self._pa.array(column.values))

    def _booleans(self, column: Column, values: Any) -> Any:
        return self._pa.array(values != 0, mask=values == NULL_ENUM)

    def _times(self, column: Column, values: Any) -> Any:
        return self._pa.array(values).view(arrow_type(self._pa, column))

    def _shares(self, column: Column, values: Any) -> Any:
        return self._pa.FixedSizeListArray.from_arrays(self._pa.array(values.ravel()), type=arrow_type(self._pa, column))

    def _sets(self, column: Column, values: Any) -> Any:
        rows, members = np.nonzero(np.unpackbits(values, axis=1, bitorder="little"))
        ends = np.searchsorted(rows, np.arange(len(values) + 1))
        return self._list(column, ends, self._pa.array((members + column.first).astype("i2")))

    def _sketches(self, column: Column, values: Any) -> Any:
        rows, at = np.nonzero(values)
        ends = np.searchsorted(rows, np.arange(len(values) + 1))
        return self._list(column, ends, self._pa.array(values[rows, at]), self._pa.array(ends[1:] == ends[:-1]))

    def _hashes(self, column: Column, values: Any) -> Any:
        text = self._pa.py_buffer(_HEXADECIMAL[values])
        ends = np.arange(len(values) + 1, dtype="<i4") * (2 * column.kind.items)
        valid = np.packbits(values.any(axis=1), bitorder="little")
        return self._pa.StringArray.from_buffers(len(values), self._pa.py_buffer(ends), text, self._pa.py_buffer(valid))


def _rows_of_analyses(batch: Batch) -> np.ndarray[Any, np.dtype[np.int32]]:
    """For each file the row of the analysis of its content, -1 if the batch has none."""
    at = np.full(len(batch), -1, "i4")
    analysed = np.flatnonzero(np.isin(batch.files["status"], ANALYSED))
    wanted, known = (
        np.ascontiguousarray(hashes).view("V16").ravel()
        for hashes in (batch.files["content_hash"][analysed], batch.analyses["content_hash"])
    )
    if np.array_equal(wanted.view("u8"), known.view("u8")):
        at[analysed] = np.arange(len(known))
    else:
        rows = {key: row for row, key in enumerate(known.tolist())}
        at[analysed] = [rows.get(key, -1) for key in wanted.tolist()]
    return at
