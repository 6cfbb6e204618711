"""Compacting a Parquet directory: small parts become large ones, and a path that several parts have keeps its latest row.

Runs leave a small part each, and tasks of a cluster write their own parts. A new part names those that it replaces, which are deleted
when it is there. If the process is killed in between, whoever opens the directory next deletes them.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from midiopt.errors import NoDatabase
from midiopt.sinks import parquet_parts
from midiopt.sinks.parquet_folder import ParquetFolder
from midiopt.sinks.parquet_index import path_hashes
from midiopt.sinks.parquet_parts import REPLACES_KEY, Part, delete_parts, find_parts, new_name, read_columns, read_part, write_part


@dataclass
class Compacted:
    """What compacting has changed."""

    rows: int
    parts_before: int
    parts_after: int
    bytes_before: int
    bytes_after: int
    repeated: int  # rows deleted, because another one of the same path is later


def compact(path: str) -> Compacted:
    """Compact the directory. Takes the memory of two parts, and 8 bytes per row.

    Raises SinkError if there is no such directory, it has no parts or cannot be written, and DatabaseBusy while a run writes it.
    """
    if not os.path.isdir(path):
        raise NoDatabase(f"there is no directory {path}")
    folder = ParquetFolder(path)
    try:
        parts = find_parts(path)
        if not parts and not folder.has_records():
            raise NoDatabase(f"{path} has no Parquet files")
        before, size = len(parts), _bytes(parts)
        repeated = _delete_repeated(path, parts)
        parts = find_parts(path)
        number = parquet_parts.next_number(parts)
        for together in _groups(parts):
            folder.check()
            if sum(part.rows for part in together):
                table = pa.concat_tables([read_part(part) for part in together]).combine_chunks()
                order = pc.sort_indices(table["path"])
                names = json.dumps([part.name for part in together]).encode()
                write_part(path, new_name(number), table.take(order).to_batches(), {REPLACES_KEY: names})
                number += 1
            delete_parts(together)
        parts = find_parts(path)
        return Compacted(sum(part.rows for part in parts), before, len(parts), size, _bytes(parts), repeated)
    finally:
        folder.close()


def _bytes(parts: list[Part]) -> int:
    return sum(os.path.getsize(part.path) for part in parts)


def _groups(parts: list[Part]) -> list[list[Part]]:
    """Parts to be joined, in the order of their first paths: as many as fit into one part. A part without rows is a group, too."""
    groups: list[list[Part]] = [[]]
    for part in sorted((part for part in parts if part.rows < parquet_parts.PART_ROWS), key=lambda part: part.first.encode()):
        if sum(other.rows for other in groups[-1]) + part.rows > parquet_parts.PART_ROWS:
            groups.append([])
        groups[-1].append(part)
    return [group for group in groups if len(group) > 1 or (group and not group[0].rows)]


def _delete_repeated(path: str, parts: list[Part]) -> int:
    """Where several parts have a path, delete all rows of it but the one analysed last; returns how many."""
    hashes = [path_hashes(read_columns(part, ["path"])["path"].to_pylist()) for part in parts]
    found, counts = np.unique(np.concatenate(hashes), return_counts=True) if hashes else (np.empty(0), np.empty(0, int))
    repeated = found[counts > 1]
    latest: dict[str, tuple[object, int]] = {}  # when its row was analysed, and the number of its part
    shared = [number for number, own in enumerate(hashes) if np.isin(own, repeated).any()]
    for number in shared:
        table = read_columns(parts[number], ["path", "analyzed_at"]).filter(pa.array(np.isin(hashes[number], repeated)))
        for name, when in zip(*(column.to_pylist() for column in table.columns), strict=True):
            latest[name] = max(latest.get(name, (when, number)), (when, number))
    deleted = 0
    for number in shared:
        table = read_part(parts[number])
        kept = [latest.get(name, (None, number))[1] == number for name in table["path"].to_pylist()]
        if not all(kept):
            deleted += kept.count(False)
            write_part(path, parts[number].name, table.filter(pa.array(kept)).to_batches())
    return deleted
