"""The row of a file that no worker survives: made by the parent."""

from __future__ import annotations

import time

from midiopt.schema import CRASHED
from midiopt.sources.file_state import FileState


def crashed_row_message(path: bytes, reason: str, report: bytes = b"") -> bytes:
    """The message for a file or archive member that crashed every worker that tried it, or exceeded the time limit."""
    from midiopt.rows.builder import Outcome, RowBuilder  # 10 ms of the start of a run

    rows = RowBuilder()
    size, mtime_ns = FileState.of(path) or (0, 0)
    rows.add_file(path, size, mtime_ns, Outcome(CRASHED, error=reason), time.time_ns() // 1000)
    return rows.message(report)
