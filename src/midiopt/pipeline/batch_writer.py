"""Collects the rows of results and writes them to the sink in batches."""

from __future__ import annotations

from typing import cast

import numpy as np

from midiopt.pipeline.hash_table_writer import SharedHashTableWriter
from midiopt.rows.batch import Batch
from midiopt.rows.decode import row_to_dict
from midiopt.run_log import event, is_enabled
from midiopt.schema import FILES, OK, OPENED
from midiopt.sinks.base import PartsSink, Sink

MAX_PENDING_BYTES = 32 << 20  # a batch is written when its rows take more, however few they are


class BatchWriter:
    """Writes batches of ``batch_size`` files. The hashes of what is `ok` go into the shared hash table, if the sink shares analyses."""

    def __init__(self, sink: Sink, table: SharedHashTableWriter, batch_size: int) -> None:
        self._sink = sink
        self._table = table
        self._batch_size = batch_size
        self._pending: list[Batch] = []
        self._pending_files = self._pending_bytes = 0

    def add(self, batch: Batch, size: int) -> None:
        """Add validated rows; ``size`` is the memory that they take, in bytes."""
        self._pending.append(batch)
        self._pending_files += len(batch)
        self._pending_bytes += size

    def adopt(self, batch: Batch, part: str) -> None:
        """Take over rows that a task of an executor has written, if ``part`` names the file."""
        if part:
            cast(PartsSink, self._sink).adopt(part)
        if is_enabled():
            _log(batch)

    def write_if_full(self) -> None:
        """Write the pending rows if they are a batch."""
        if self._pending_files >= self._batch_size or self._pending_bytes > MAX_PENDING_BYTES:
            self._write()

    def write_in_order(self) -> None:
        """Write the pending rows, so that no row that is added from now on is committed before them."""
        if self._pending:
            self._write()
        if not self._sink.commits_in_order:
            self._sink.flush()

    def flush(self) -> None:
        """Write the pending rows, and wait until everything is committed."""
        if self._pending:
            self._write()
        self._sink.flush()

    def _write(self) -> None:
        batch = Batch.concat(self._pending)
        self._sink.write(batch)  # blocks while the sink has no room: meanwhile the workers fill their pipes, and wait
        if self._sink.shares_analyses:
            self._table.add(batch.files["content_hash"][batch.files["status"] == OK])
        if is_enabled():
            _log(batch)
        self._pending, self._pending_files, self._pending_bytes = [], 0, 0


def _log(batch: Batch) -> None:
    """Log the files of a written batch that are not ok, and the batch."""
    for row in batch.files[~np.isin(batch.files["status"], (OK, OPENED))]:
        values = row_to_dict(FILES, row, batch.heap)
        event("file", **{name: values[name] for name in ("path", "status", "error", "size_bytes")})
    event("batch", files=len(batch), contents=len(batch.analyses))
