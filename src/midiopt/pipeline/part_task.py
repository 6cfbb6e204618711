"""The rows of a task of an executor as a file in the directory of a Parquet database, which the run adopts.

The file has a name that no reader looks at. The run, which alone holds the lock, renames it when the answer of the task arrives: a task
that is executed twice, because its worker was lost, leaves one file too many, which the next run deletes.
"""

from __future__ import annotations

import threading

import pyarrow as pa

from midiopt.rows.arrow_rows import RowTables
from midiopt.rows.batch import FILES_DTYPE, Batch
from midiopt.rows.validate import validate
from midiopt.rows.wire import HEADER, report_in
from midiopt.schema import FILES
from midiopt.sinks.batch_rows import last_row_per_key
from midiopt.sinks.parquet_parts import write_unadopted

MIN_PART_ROWS = 1000  # fewer are returned to the run, which collects them for a part of 100,000
_of_thread = threading.local()


def row_count(message: bytes) -> int:
    """The number of files in a message."""
    return int(HEADER.unpack_from(message)[0]) // FILES_DTYPE.itemsize


def write_rows(answers: list[list[bytes]], folder: str) -> tuple[list[list[bytes]], str]:
    """The messages of each task without analyses, and the name of the file that has all their rows. Raises SinkError."""
    if not hasattr(_of_thread, "tables"):
        _of_thread.tables = RowTables(pa)
    tables: RowTables = _of_thread.tables
    rows, short = [], []
    for messages in answers:
        batches = [validate(Batch.from_bytes(message)) for message in messages]
        rows += [tables.record_batch(Batch(last_row_per_key(FILES, batch), batch.analyses, batch.heap)) for batch in batches]
        short.append([batch.files_only().to_bytes(report_in(message)) for batch, message in zip(batches, messages, strict=True)])
    return short, write_unadopted(folder, rows)
