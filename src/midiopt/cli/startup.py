"""What the programs do before they import numpy and the rest."""

from __future__ import annotations

import os

from midiopt.pipeline.signals import install_exit_handlers


def prepare_process() -> None:
    """Install the signal handlers and limit OpenBLAS to one thread.

    midiopt uses no linear algebra; OpenBLAS's idle threads cost 80 ms of processor time at the start of a run.
    """
    install_exit_handlers()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
