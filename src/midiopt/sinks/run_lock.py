"""The lock of a run on its database: an flock, which ends with the process in any case."""

from __future__ import annotations

import fcntl
import os

from midiopt.errors import DatabaseBusy


def lock(descriptor: int, path: str) -> None:
    """Lock the file or directory at `path`. Closes the descriptor and raises DatabaseBusy while another run has the lock."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise DatabaseBusy(f"another run is writing {path}; wait until it has ended") from None
