"""Replaces rows that no database could hold before they are written, so that they cost no other row anything.

Kernels do not make such rows. If one ever did, or a message were damaged, its file becomes `crashed` with the column as
the reason, and every other row of its batch is written.
"""

from __future__ import annotations

import numpy as np

from midiopt.kinds import ENUM, INT16, INT32, INT64, NULL_ENUM, NULL_TEXT, TIME
from midiopt.rows.batch import TEXT_DTYPE, Batch, Rows
from midiopt.rows.builder import NO_HASH
from midiopt.rows.invalid import Inspector
from midiopt.rows.layout import LAYOUTS
from midiopt.schema import ANALYSED, ANALYSES, CRASHED, FILES, Table

INTEGERS = {column.name for column in FILES if column.kind in (INT16, INT32, INT64, TIME)}
NULLABLE_ENUMS = {column.name for column in FILES if column.kind is ENUM and column.nullable}
INSPECTORS = {table: Inspector(layout.fields) for table, layout in LAYOUTS.items()}


def validate(batch: Batch) -> Batch:
    """The batch itself if every value is valid, as it always should be; else one with `crashed` files for the invalid rows."""
    heap_is_utf8 = _is_utf8(batch.heap)
    invalid = {}
    for table, inspector in INSPECTORS.items():
        rows = batch.rows(table)
        found = {row: table.columns[column].name for row, column in inspector.find_invalid(rows, batch.heap)}
        invalid[table] = found if heap_is_utf8 else _invalid_utf8(table, rows, batch.heap, found) | found
    return _without_invalid(batch, invalid[FILES], invalid[ANALYSES]) if any(invalid.values()) else batch


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _invalid_utf8(table: Table, rows: Rows, heap: bytes, known: dict[int, str]) -> dict[int, str]:
    """Rows other than `known`, whose text may lie outside the heap, with a column that is not UTF-8."""
    found = {}
    for column in table:
        if column.kind.is_text:
            for i, (start, length) in enumerate(rows[column.name].tolist()):
                if i not in known and length != NULL_TEXT and not _is_utf8(heap[start : start + length]):
                    found[i] = column.name
    return found


def _without_invalid(batch: Batch, bad_files: dict[int, str], bad_analyses: dict[int, str]) -> Batch:
    """The batch without invalid analyses. Files that are invalid, or whose analysis is, become `crashed`."""
    hashes = [content_hash.tobytes() for content_hash in batch.analyses["content_hash"]]
    lost = {hashes[i]: name for i, name in bad_analyses.items()}
    for i in np.flatnonzero(np.isin(batch.files["status"], ANALYSED)).tolist():
        content_hash = batch.files["content_hash"][i].tobytes()
        if content_hash in lost:
            bad_files.setdefault(i, lost[content_hash])
        elif NO_HASH in lost and content_hash not in hashes:  # the analysis that lost its hash may be this one's
            bad_files.setdefault(i, "content_hash")
    files = batch.files.copy()
    heap = bytearray(batch.heap.decode(errors="surrogateescape").encode(errors="replace"))  # ? per invalid byte: same length
    for i, name in bad_files.items():
        row = files[i]
        if name == "path":
            row["path"] = _append_text(heap, b"a file whose path was lost")
        elif name in INTEGERS:
            row[name] = 0
        elif name in NULLABLE_ENUMS:
            row[name] = NULL_ENUM
        row["error"] = _append_text(heap, f"internal error: invalid value in column {name}".encode())
        row["content_hash"] = 0
        row["status"] = CRASHED
    return Batch(files, np.delete(batch.analyses, list(bad_analyses)), bytes(heap))


def _append_text(heap: bytearray, text: bytes) -> np.ndarray:
    heap += text
    return np.array((len(heap) - len(text), len(text)), TEXT_DTYPE)
