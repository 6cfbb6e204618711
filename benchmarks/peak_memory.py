"""The memory of a process and all that it started, as one number: the most it came to."""

from __future__ import annotations

import re
import threading
from pathlib import Path

EVERY = 0.1  # seconds between two looks; a look takes about a millisecond a process
PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


def family(pid: int) -> list[int]:
    """A process and its descendants."""
    pids = [pid]
    for parent in pids:  # grows as children are found
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                pids += map(int, children.read_text().split())
            except OSError:  # it has just ended
                continue
    return pids


def pss(pid: int) -> int:
    """Proportional set size in bytes: memory that n processes share counts as one n-th in each."""
    try:
        match = PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
    except OSError:  # it has just ended, or this is not Linux
        return 0
    return int(match[1]) * 1024 if match else 0


class Peak:
    """While the with block runs, the most memory that `pid` and its descendants had together."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.bytes = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self._over.wait(EVERY):
            self.bytes = max(self.bytes, sum(map(pss, family(self.pid))))

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._thread.join()
