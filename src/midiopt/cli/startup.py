"""What our programs do before they import the rest."""

from __future__ import annotations

import os

from midiopt.pipeline.signals import leave_quietly


def begin() -> None:
    """Take the signals over, and have numpy start no threads for linear algebra, of which nothing here has any: waiting
    for work they took 80 ms of a core from the beginning of a run."""
    leave_quietly()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
