"""The peak memory of a process and all its descendants together."""

from __future__ import annotations

import re
import threading
from pathlib import Path

INTERVAL = 0.1  # seconds between two samples; a sample takes about a millisecond per process
PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


def process_tree(pid: int) -> list[int]:
    """A process and its descendants."""
    pids = [pid]
    for parent in pids:  # grows as children are found
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                pids += map(int, children.read_text().split())
            except OSError:  # the process has ended
                continue
    return pids


def proportional_set_size(pid: int) -> int:
    """Bytes of memory of a process; memory shared by n processes counts as one n-th in each."""
    try:
        match = PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
    except OSError:  # the process has ended, or this is not Linux
        return 0
    return int(match[1]) * 1024 if match else 0


class PeakMemory:
    """Context manager: ``bytes`` is the largest sample of the memory of ``pid`` and its descendants."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.bytes = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def _sample(self) -> None:
        while not self._stop.wait(INTERVAL):
            self.bytes = max(self.bytes, sum(map(proportional_set_size, process_tree(self.pid))))

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()
