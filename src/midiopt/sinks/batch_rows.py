"""Which rows of a batch a database gets."""

from __future__ import annotations

import numpy as np

from midiopt.rows.batch import Batch, Rows
from midiopt.rows.layout import LAYOUTS
from midiopt.schema import ANALYSED, ANALYSES, FILES, TRACKS, Table
from midiopt.sinks.row_keys import absent, analysis_ids, last_rows

_KEYS = {
    table: (field.offset, 0 if column.kind.is_text else field.size)
    for table, layout in LAYOUTS.items()
    for column, field in zip(table, layout.fields, strict=True)
    if column.name == table.key
}

_OFFSETS = {table: {c.name: field.offset for c, field in zip(table, layout.fields, strict=True)} for table, layout in LAYOUTS.items()}
_KEYS[TRACKS] = (0, _OFFSETS[TRACKS]["analyzer_version"])  # the hash of the content and the index of the track, which come first
_ANALYSED_BITS = sum(1 << status for status in ANALYSED)


def last_row_per_key(table: Table, batch: Batch) -> Rows:
    """The rows of one table in their order, of rows with the same key only the last one."""
    rows = batch.rows(table)
    last = last_rows(rows, *_KEYS[table], batch.heap)
    return rows if last is None else rows[last]


def add_missing_analyses(batch: Batch, others: list[Batch]) -> Batch:
    """`batch` with the analyses that its files refer to, taken from `others` where it lacks them.

    A worker sends the analysis of a content once. If batches are committed concurrently, the one with the analysis may be
    committed later or never, and no file may be committed without it. Its tracks come with that batch: if never, the next run that
    asks for tracks finds none and analyses the content again.
    """
    if not others:
        return batch
    files = batch.files
    hashes = files["content_hash"][np.isin(files["status"], ANALYSED)]
    missing = absent(hashes.tobytes(), batch.analyses["content_hash"].tobytes())
    if not missing:
        return batch
    carried = [(other, [key in missing for key in _hashes(other.analyses["content_hash"])]) for other in others]
    return Batch.concat([batch, *(Batch(files[:0], other.analyses[rows], other.heap) for other, rows in carried if any(rows))])


def ids_of_analyses(batch: Batch, ids: bytes | bytearray) -> memoryview:
    """The id of each file's analysis: 0 for a file that has none, -1 if it is to be looked up.

    `ids` are 64-bit integers: those that the analyses of the batch were inserted with, 0 for one that was there before.
    """
    at = _OFFSETS[FILES]
    known = memoryview(ids).cast("q")
    found = analysis_ids(
        batch.files, at["content_hash"], at["status"], _ANALYSED_BITS, batch.analyses, _OFFSETS[ANALYSES]["content_hash"], known
    )
    return memoryview(found).cast("q")


def ids_of_tracks(tracks: Rows, analyses: Rows, ids: bytes | bytearray) -> memoryview:
    """The id of each track's analysis, -1 if it is to be looked up; see ids_of_analyses()."""
    known = memoryview(ids).cast("q")
    found = analysis_ids(tracks, _OFFSETS[TRACKS]["content_hash"], -1, 0, analyses, _OFFSETS[ANALYSES]["content_hash"], known)
    return memoryview(found).cast("q")


def _hashes(field: np.ndarray) -> list[bytes]:
    return np.ascontiguousarray(field).view("V16").ravel().tolist()
