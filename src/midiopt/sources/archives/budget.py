"""What the reading of one archive may cost, whatever its headers say: decompressed bytes and processor time.

Each worker that reads an archive has a budget for it, shared by all archives inside it. Sizes that the headers declare are
checked apart, because they are the same for every worker.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from midiopt.errors import Damaged
from midiopt.sources.archives.limits import BOMB_ERROR, BOMB_RATIO, DEFAULT_LIMITS, TIME_ERROR, ArchiveLimits, max_cpu_seconds


class Budget:
    """``error`` says which limit was exceeded; then nothing more of the archive must be read.

    ``on_read`` is called at every sign of life: during decompression, and while entries are skipped.
    """

    def __init__(self, size: int, limits: ArchiveLimits = DEFAULT_LIMITS, on_read: Callable[[], None] = lambda: None) -> None:
        self.error = ""
        self._bytes_left = limits.bomb_min_bytes + BOMB_RATIO * size
        self._seconds_left = max_cpu_seconds(size, limits)
        self._on_read = on_read
        self.resume()

    def resume(self) -> None:
        """A task for the archive begins."""
        self._cpu_start = time.process_time()
        self._start = time.monotonic()

    def pause(self) -> float:
        """The task ends; returns the processor time that it took, in seconds."""
        seconds = time.process_time() - self._cpu_start
        self._seconds_left -= seconds
        return seconds

    def show_life(self) -> None:
        """Reading goes on. Raises Damaged when it has taken too long."""
        self._on_read()
        self.check_time()

    def check_time(self) -> None:
        """Raises Damaged when the archive has taken too long."""
        # The clock costs 0.05 us, and the system call for the processor time, which is never more, ten times that.
        if time.monotonic() - self._start > self._seconds_left and time.process_time() - self._cpu_start > self._seconds_left:
            self._stop(TIME_ERROR)

    def spend(self, count: int) -> None:
        """This many bytes were decompressed. Raises Damaged when they are too many."""
        self._bytes_left -= count
        if self._bytes_left < 0:
            self._stop(BOMB_ERROR)

    def _stop(self, error: str) -> None:
        self.error = error
        raise Damaged(error)
