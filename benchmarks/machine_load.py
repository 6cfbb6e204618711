"""Whether others use the cores: whole runs need all of them, so other work makes them look slow.

Turns do not help there. A single process still gets a core of its own while three share the other.
"""

from __future__ import annotations

import time

LOOK = 0.2  # seconds
QUIET = 0.05  # share of all cores


def _ticks() -> tuple[int, int]:
    """Clock ticks of all cores since the start: not idle, and in all."""
    try:
        with open("/proc/stat") as file:
            user, nice, system, idle, waiting, *rest = map(int, file.readline().split()[1:9])
    except OSError:  # not Linux: everything looks quiet
        return 0, 1
    busy = user + nice + system + sum(rest)
    return busy, busy + idle + waiting


def busy() -> float:
    """The share of all cores that others use, while this process looks on."""
    before = _ticks()
    time.sleep(LOOK)
    after = _ticks()
    return (after[0] - before[0]) / max(1, after[1] - before[1])


def wait(patience: float) -> float:
    """Wait until the cores are free, at most so many seconds; the share that is still in use."""
    until = time.monotonic() + patience
    while (share := busy()) > QUIET and time.monotonic() < until:
        pass
    return share
