"""Defaults of a run's options."""

from __future__ import annotations

import os

DATABASE = "midiopt.db"
BATCH_SIZE = 2048  # files a transaction: written in the time that workers need for the chunks in hand


def usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
