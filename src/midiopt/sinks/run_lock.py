"""The lock of a run on its database: an flock, which ends with the process in any case; and whether what is locked stays where it is."""

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


def is_in_place(descriptor: int, path: str) -> bool:
    """Whether the path still names what is locked; to find out takes 2 us."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except OSError:
        return False


def fate(descriptor: int, kind: str) -> str:
    """What became of a file or directory that is not in its place: a "file" or a "directory"."""
    if os.fstat(descriptor).st_nlink:
        return f"was moved or replaced during the run; the rows so far are in the {kind} where it is now"
    return "was deleted during the run, and the rows so far with it"
