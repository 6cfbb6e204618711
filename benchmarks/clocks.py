"""Seconds that a function takes, by the two clocks of benchmarks."""

from __future__ import annotations

import time
from collections.abc import Callable


def processor_time(work: Callable[[], object], repeats: int = 1) -> float:
    """Processor seconds of one call, the mean of ``repeats``; never 0."""
    start = time.process_time()
    for _ in range(repeats):
        work()
    return max(time.process_time() - start, 1e-6) / repeats


def wall_time(work: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
