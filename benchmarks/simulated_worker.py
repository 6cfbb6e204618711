"""A worker that analyses nothing: it answers tasks with rows made beforehand, at a fixed rate. cores.py starts it.

The rows are those of real songs (the message in the file that CANNED_ROWS names), each with the path of the task and a new
content hash, so that the parent has as much to do as in a run.
"""

from __future__ import annotations

import mmap
import os
import sys
import time
from pathlib import Path

import numpy as np

from midiopt.pipeline.heartbeat import HEARTBEAT_BYTES, Heartbeat
from midiopt.pipeline.message_pipe import WorkerPipe
from midiopt.pipeline.tasks import AnalyzeFiles, decode_task
from midiopt.pipeline.worker_arguments import WorkerArguments
from midiopt.rows.batch import Batch, Rows
from midiopt.rows.wire import message
from midiopt.schema import ANALYSES, FILES
from midiopt.sources.system import end_with

CANNED_ROWS = "MIDIOPT_CANNED_ROWS"  # environment variable: the path of a message with one analysis per file, in order
RATE = "MIDIOPT_SIMULATED_RATE"  # environment variable: files per second
_TEXTS = {table: [column.name for column in table if column.kind.is_text] for table in (FILES, ANALYSES)}


def answer(paths: list[bytes], canned: Batch) -> bytes:
    """A message with rows of these paths."""
    hashes = np.frombuffer(os.urandom(16 * len(paths)), "u1").reshape(-1, 16)
    lengths = np.fromiter(map(len, paths), "u4", len(paths))
    tables: dict[str, Rows] = {}
    for table in (FILES, ANALYSES):
        rows = canned.rows(table)[: len(paths)].copy()
        for name in _TEXTS[table]:
            rows[name]["offset"] += np.uint32(lengths.sum())
        rows["content_hash"] = hashes
        tables[table.name] = rows
    path = tables["files"]["path"]
    path["offset"], path["length"] = np.cumsum(lengths) - lengths, lengths
    return message(tables["files"].tobytes(), tables["analyses"].tobytes(), b"", b"".join(paths) + canned.heap)


def main() -> None:
    """Answer tasks until the pipe closes."""
    arguments = WorkerArguments.from_json(sys.argv[1])
    end_with(arguments.parent)
    canned = Batch.from_bytes(Path(os.environ[CANNED_ROWS]).read_bytes())
    seconds_per_file = 1 / float(os.environ[RATE])
    heartbeat = Heartbeat(mmap.mmap(arguments.heartbeat, HEARTBEAT_BYTES))
    pipe = WorkerPipe(arguments.pipe)
    heartbeat.refresh()  # tells cores.py that it has started
    due = time.monotonic()
    while True:
        try:
            task = decode_task(pipe.recv_bytes())
            assert isinstance(task, AnalyzeFiles)
            due = max(due, time.monotonic()) + len(task.paths) * seconds_per_file
            rows = answer(task.paths, canned)
            time.sleep(max(0, due - time.monotonic()))
            for _ in task.paths:
                heartbeat.start_item()
            pipe.send_bytes(rows)
        except (EOFError, ConnectionError):
            return


if __name__ == "__main__":
    main()
