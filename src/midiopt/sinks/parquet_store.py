"""The parts of a directory of Parquet files: which path is in which of them, reading all of them, and writing one new or anew."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from midiopt.errors import Stopped
from midiopt.sinks.parquet_folder import ParquetFolder
from midiopt.sinks.parquet_index import PathIndex, path_hashes
from midiopt.sinks.parquet_parts import Part, adopt_file, find_parts, new_name, next_number, read_columns, read_part, write_part

if TYPE_CHECKING:
    from numpy.typing import NDArray

PAGE_ROWS = 10_000


class PartStore:
    """The parts in the directory at `path`, which is created if absent; a part has its place among them as its number."""

    def __init__(self, path: str, should_stop: Callable[[], bool]) -> None:
        self._should_stop = should_stop
        self.path = os.path.abspath(path)
        self.folder = ParquetFolder(path)
        try:
            self.parts = find_parts(path)
        except BaseException:
            self.folder.close()
            raise
        self._next_number = next_number(self.parts)
        self._index: PathIndex | None = None  # of the paths in parts, from the first write on

    def known_paths(self) -> PathIndex:
        """In which part each path is; made when it is asked for first."""
        if self._index is None:
            self._index = PathIndex()
            for number, part in enumerate(self.parts):
                self._index.add(path_hashes(read_columns(part, ["path"])["path"].to_pylist()), number)
        return self._index

    def add(self, rows: list[pa.RecordBatch], hashes: NDArray[np.int64]) -> None:
        """Write a new part; the hashes are those of its paths."""
        self.folder.check()
        part = write_part(self.folder.path, new_name(self._next_number), rows)
        self._append(part, hashes)

    def adopt(self, name: str, hashes: NDArray[np.int64]) -> None:
        """Rename a file in the directory to a new part."""
        self._append(adopt_file(self.path, name, self._next_number), hashes)

    def _append(self, part: Part, hashes: NDArray[np.int64]) -> None:
        self.known_paths().add(hashes, len(self.parts))
        self.parts.append(part)
        self._next_number += 1

    def edit(self, number: int, change: Callable[[pa.Table], pa.Table | None]) -> None:
        """Write a part anew, unless nothing in it changes."""
        part = self.parts[number]
        table = change(read_part(part))
        if table is not None:
            self.folder.check()
            self.parts[number] = write_part(self.folder.path, part.name, table.to_batches())

    def pages(self, names: list[str]) -> Iterator[pa.Table]:
        """These columns of all parts, some rows at a time. Raises Stopped once the run is asked to end."""
        for part in list(self.parts):
            if self._should_stop():
                raise Stopped("reading the parts was interrupted")
            table = read_columns(part, names)
            for start in range(0, len(table), PAGE_ROWS):
                yield table[start : start + PAGE_ROWS]

    def by_part(self, paths: list[str]) -> Iterator[tuple[int, list[str]]]:
        """The numbers of the parts that have some of the paths, and which."""
        parts = self.known_paths().find(path_hashes(paths))
        for number in np.unique(parts[parts >= 0]).tolist():
            yield number, [paths[i] for i in np.flatnonzero(parts == number).tolist()]
