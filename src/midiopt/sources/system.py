"""Calls of Linux that other systems lack, each with a portable way beside it.

``MIDIOPT_WITHOUT=memfd_create,prctl`` (any of CALLS, or ``all``) takes the portable ways on Linux, so that tests can.
"""

from __future__ import annotations

import os
import signal
import sys

CALLS = (
    "memfd_create",  # memory that processes share; else a file that is deleted at once
    "prctl",  # a worker ends with its parent; else a thread looks
    "MAP_POPULATE",  # a file is mapped with its pages; else these come one by one
    "posix_fadvise",  # the next file is announced to the kernel; else it is read when it is needed
    "RUSAGE_THREAD",  # how often a thread has waited; else files are taken for fast, and no threads read ahead
    "inotify",  # watched folders report changes; else they are searched again and again
)
VARIABLE = "MIDIOPT_WITHOUT"
PR_SET_PDEATHSIG = 1  # Linux, sys/prctl.h
PARENT_INTERVAL = 0.5  # seconds between two looks for the parent


def has(call: str) -> bool:
    """Whether the system has one of CALLS, and the environment does not switch it off."""
    off = os.environ.get(VARIABLE, "").split(",")
    return sys.platform == "linux" and call not in off and "all" not in off


def shared_memory(name: str) -> int:
    """The descriptor of an empty file in memory, which processes that inherit it map; on the disk where there is no other way."""
    if has("memfd_create"):
        return os.memfd_create(name)
    import tempfile

    descriptor, path = tempfile.mkstemp(prefix=name)
    os.unlink(path)
    return descriptor


def end_with(parent: int) -> None:
    """End this process when its parent dies, whatever it does then."""
    if has("prctl"):
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        import threading

        threading.Thread(target=_look_for, args=(parent,), daemon=True).start()
    if os.getppid() != parent:  # it has died already
        sys.exit()


def _look_for(parent: int) -> None:
    import time

    while os.getppid() == parent:
        time.sleep(PARENT_INTERVAL)
    os._exit(1)
