"""The row of a file that no worker survives: made by the parent."""

from __future__ import annotations

import os
import time

from midiopt.rows.builder import Outcome, RowBuilder
from midiopt.schema import CRASHED
from midiopt.sources.file_state import FileState


def crashed_row_message(path: bytes, reason: str, report: bytes = b"") -> bytes:
    """The message for a file or archive member that crashed every worker that tried it, or exceeded the time limit."""
    rows = RowBuilder()
    try:
        size, mtime_ns = FileState.from_stat(os.stat(path))
    except OSError:
        size = mtime_ns = 0
    # A file system may know later years than the column.
    rows.add_file(path, size, min(mtime_ns, 2**63 - 1), Outcome(CRASHED, error=reason), time.time_ns() // 1000)
    return rows.message(report)
