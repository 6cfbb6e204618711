"""How much of the processor other programs use: a whole run needs every core, so other work makes it look slow.

Interleaving does not help there: a single process still gets a core of its own while three share the other.
"""

from __future__ import annotations

import time

INTERVAL = 0.2  # seconds that the load is measured over
IDLE = 0.05  # share of all cores


def _ticks() -> tuple[int, int]:
    """Clock ticks of all cores since the machine started: busy, and in total."""
    try:
        with open("/proc/stat") as file:
            user, nice, system, idle, iowait, *rest = map(int, file.readline().split()[1:9])
    except OSError:  # not Linux: assume an idle machine
        return 0, 1
    busy = user + nice + system + sum(rest)
    return busy, busy + idle + iowait


def measure() -> float:
    """The share of all cores that other processes use while this one sleeps."""
    before = _ticks()
    time.sleep(INTERVAL)
    after = _ticks()
    return (after[0] - before[0]) / max(1, after[1] - before[1])


def wait_until_idle(timeout: float) -> float:
    """Wait at most ``timeout`` seconds for the cores to be free; the share that is still in use."""
    end = time.monotonic() + timeout
    while (share := measure()) > IDLE and time.monotonic() < end:
        pass
    return share
