"""Replaces rows that no database could hold before they are written, so that they cost no other row anything.

Kernels do not make such rows: each keeps its values inside their columns. If one ever did, or a message were damaged, that is a
fault of the program and none of the file. No value is mended: the file becomes `crashed`, an internal error with the
columns as the reason, and has no facts, however many of its values are invalid. Every other row of its batch is written.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from midiopt.kinds import ENUM, INT16, INT32, INT64, NULL_ENUM, NULL_TEXT, TIME
from midiopt.rows.batch import TEXT_DTYPE, Batch, Rows
from midiopt.rows.invalid import Inspector
from midiopt.rows.layout import LAYOUTS, NO_HASH
from midiopt.schema import ANALYSED, ANALYSES, CRASHED, FILES, TRACKS, Table

Names = dict[int, list[str]]  # the invalid columns of each row that has any

INTEGERS = {column.name for column in FILES if column.kind in (INT16, INT32, INT64, TIME)}
NULLABLE_ENUMS = {column.name for column in FILES if column.kind is ENUM and column.nullable}
INSPECTORS = {table: Inspector(layout.fields) for table, layout in LAYOUTS.items()}


def validate(batch: Batch) -> Batch:
    """The batch itself if every value is valid, as it always should be; else one with `crashed` files for the invalid rows."""
    heap_is_utf8 = _is_utf8(batch.heap)
    invalid: dict[Table, Names] = {}
    for table, inspector in INSPECTORS.items():
        rows = batch.rows(table)
        found = defaultdict(list)
        for row, column in inspector.find_invalid(rows, batch.heap):
            found[row].append(table.columns[column].name)
        invalid[table] = found if heap_is_utf8 else _invalid_utf8(table, rows, batch.heap, found) | found
    if not any(invalid.values()):
        return batch
    return validate(_without_invalid(batch, invalid))  # a row may have another invalid value


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _invalid_utf8(table: Table, rows: Rows, heap: bytes, known: Names) -> Names:
    """Rows other than `known`, whose text may lie outside the heap, with a column that is not UTF-8."""
    found: Names = {}
    for column in table:
        if column.kind.is_text:
            for i, (start, length) in enumerate(rows[column.name].tolist()):
                if i not in known and length != NULL_TEXT and not _is_utf8(heap[start : start + length]):
                    found[i] = [column.name]
    return found


def _without_invalid(batch: Batch, invalid: dict[Table, Names]) -> Batch:
    """The batch without invalid analyses, those of which a track is invalid among them. Their files, and invalid ones, become `crashed`."""
    bad_files, bad_analyses = invalid[FILES], invalid[ANALYSES]
    hashes, of_tracks = _hashes(batch.analyses), _hashes(batch.tracks)
    for i, names in _analyses_of(batch, invalid[TRACKS], hashes, of_tracks).items():
        bad_analyses.setdefault(i, names)
    lost = {hashes[i]: names for i, names in bad_analyses.items()}
    for i in np.flatnonzero(np.isin(batch.files["status"], ANALYSED)).tolist():
        content_hash = batch.files["content_hash"][i].tobytes()
        if content_hash in lost:
            bad_files.setdefault(i, lost[content_hash])
        elif NO_HASH in lost and content_hash not in hashes:  # the analysis that lost its hash may be this one's
            bad_files.setdefault(i, ["content_hash"])
    files = batch.files.copy()
    heap = bytearray(batch.heap.decode(errors="surrogateescape").encode(errors="replace"))  # ? per invalid byte: same length
    for i, names in bad_files.items():
        row = files[i]
        for name in names:
            if name == "path":
                row["path"] = _append_text(heap, b"a file whose path was lost")
            elif name in INTEGERS:
                row[name] = 0
            elif name in NULLABLE_ENUMS:
                row[name] = NULL_ENUM
        row["error"] = _append_text(heap, f"internal error: invalid value in column {', '.join(names)}".encode())
        row["content_hash"] = 0
        row["status"] = CRASHED
    kept = set(hashes) - set(lost)
    is_kept = [i not in invalid[TRACKS] and content_hash in kept for i, content_hash in enumerate(of_tracks)]
    return Batch(files, np.delete(batch.analyses, list(bad_analyses)), bytes(heap), batch.tracks[np.array(is_kept, bool)])


def _analyses_of(batch: Batch, bad_tracks: Names, hashes: list[bytes], of_tracks: list[bytes]) -> Names:
    """The analyses of invalid tracks; of those whose content hash is lost, any analysis that lacks tracks."""
    found: Names = {}
    for track, names in bad_tracks.items():
        for i, content_hash in enumerate(hashes):
            lacks_tracks = of_tracks[track] == NO_HASH and of_tracks.count(content_hash) < batch.analyses["track_count"][i]
            if content_hash == of_tracks[track] or lacks_tracks:
                found[i] = [f"{name} of tracks" for name in names]
    return found


def _hashes(rows: Rows) -> list[bytes]:
    return [content_hash.tobytes() for content_hash in rows["content_hash"]]


def _append_text(heap: bytearray, text: bytes) -> np.ndarray:
    heap += text
    return np.array((len(heap) - len(text), len(text)), TEXT_DTYPE)
