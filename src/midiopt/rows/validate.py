"""Rows that no database could hold, found before they are packed, so that they cost no other row anything.

Kernels do not make such rows. Should one ever, or should a message be damaged on its way, its file is
`crashed`, with the column as the reason, and every other row of its batch is written.
"""

from __future__ import annotations

import numpy as np

from midiopt.rows.batch import FILES_DTYPE, Batch
from midiopt.rows.invalid import Inspector
from midiopt.schema import ANALYSED, CRASHED, FILES, NULL_ENUM, NULL_INT, NULL_TEXT
from midiopt.sinks.sql import TABLES, Table

NO_HASH = bytes(16)
NUMBERS = {c.name for c in FILES if c.kind in (*NULL_INT, "time")}
INSPECTORS = [(table, Inspector(table.plan(), [c.null for c in table.columns])) for table in TABLES]


def sound(batch: Batch) -> Batch:
    """The batch itself when all is well, as ever; else one without what is wrong, and with `crashed` files for it."""
    faults = {}
    utf8 = _is_utf8(batch.heap)
    for table, inspector in INSPECTORS:
        rows = getattr(batch, table.name)
        faults[table.name] = {i: table.columns[c].name for i, c in inspector.faults(rows, batch.heap)}
        if not utf8:
            faults[table.name] = _undecodable(table, rows, batch.heap, faults[table.name]) | faults[table.name]
    return _mended(batch, faults["files"], faults["analyses"]) if any(faults.values()) else batch


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _undecodable(table: Table, rows: np.ndarray, heap: bytes, known: dict[int, str]) -> dict[int, str]:
    """Rows with text that is not UTF-8, of those whose text at least lies in the heap."""
    found = {}
    for column in table.columns:
        if column.kind in ("text", "texts"):
            for i, (at, length) in enumerate(rows[column.name].tolist()):
                if i not in known and length != NULL_TEXT and not _is_utf8(heap[at : at + length]):
                    found[i] = column.name
    return found


def _mended(batch: Batch, bad_files: dict[int, str], bad_analyses: dict[int, str]) -> Batch:
    """The batch without bad analyses. Files whose analysis is bad, or that are bad themselves, become `crashed`."""
    digests = [digest.tobytes() for digest in batch.analyses["content_hash"]]
    lost = {digests[i]: name for i, name in bad_analyses.items()}
    for i in np.flatnonzero(np.isin(batch.files["status"], ANALYSED)).tolist():
        digest = batch.files["content_hash"][i].tobytes()
        if digest in lost:
            bad_files.setdefault(i, lost[digest])
        elif NO_HASH in lost and digest not in digests:  # it may be this one's that lost its name
            bad_files.setdefault(i, "content_hash")
    files = batch.files.copy()
    heap = bytearray(batch.heap.decode(errors="surrogateescape").encode(errors="replace"))  # a ? for a wrong byte: nothing moves
    for i, name in bad_files.items():
        row = files[i]
        if name == "path":
            row["path"] = _put(heap, b"a file whose path was lost")
        elif name in NUMBERS:
            row[name] = 0
        elif name in ("name_key", "name_meter"):
            row[name] = NULL_ENUM
        row["error"] = _put(heap, f"its {name} came out as no {name} can be".encode())
        row["content_hash"] = 0
        row["status"] = CRASHED
    return Batch(files, np.delete(batch.analyses, list(bad_analyses)), bytes(heap))


def _put(heap: bytearray, text: bytes) -> np.ndarray:
    heap += text
    return np.array((len(heap) - len(text), len(text)), FILES_DTYPE["error"])
