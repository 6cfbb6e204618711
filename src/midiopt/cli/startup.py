"""What the programs do before they import numpy and the rest."""

from __future__ import annotations

import os
import sys
import threading
from typing import NoReturn

from midiopt.pipeline.signals import install_exit_handlers

OWN_THREADS = 2  # the main one, and that which waits for signals


def prepare_process() -> None:
    """Install the signal handlers, give closed outputs a place to write to, and limit OpenBLAS to one thread.

    midiopt uses no linear algebra; OpenBLAS's idle threads cost 80 ms of processor time at the start of a run.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed, as by >&-
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
    install_exit_handlers()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def end_process(code: int) -> NoReturn:
    """End the process, whose files and databases are closed, without freeing every object: status takes 0.82 of the time.

    Threads and processes of libraries (of a cluster, of an object store) are left to Python, which ends them in order.
    """
    if threading.active_count() > OWN_THREADS or "multiprocessing" in sys.modules:
        sys.exit(code)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
