"""The file of an SQLite database: the lock of the run on it, and whether it stays where it is."""

from __future__ import annotations

import contextlib
import fcntl
import os

from midiopt.errors import SinkError
from midiopt.sinks.run_lock import fate, is_in_place, lock


class DatabaseFile:
    """Holds the lock of a run on the file, which is created if absent. Raises DatabaseBusy while another run holds it.

    It is an flock on the file itself: it ends with the process in any case, and it does not conflict with SQLite's own locks,
    so readers do not notice it. Close it after SQLite's connection: closing any descriptor of a file drops all POSIX locks that
    the process has on it, and SQLite's are such locks.
    """

    def __init__(self, path: str) -> None:
        self._path = os.path.abspath(path)
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise SinkError(f"cannot open the database {path}: {error.strerror}") from error
        lock(self._descriptor, path)

        if not os.fstat(self._descriptor).st_size:
            # Of a database that was moved or deleted while another run wrote it: SQLite would take them for those of the new file.
            for suffix in ("-wal", "-shm"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.realpath(path) + suffix)

    def is_in_place(self) -> bool:
        """Whether the path still names the file."""
        return is_in_place(self._descriptor, self._path)

    def fate(self) -> str:
        """What became of a file that is not in its place."""
        return fate(self._descriptor, "file")

    def close(self) -> None:
        """Release the lock."""
        os.close(self._descriptor)


def is_locked(path: str) -> bool:
    """Whether a run writes this database."""
    with open(path, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def file_uri(path: str, mode: str) -> str:
    """The file as SQLite takes it with a mode of opening. urllib.parse would take 3 ms."""
    name = os.path.abspath(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return f"file:{name}?{mode}"
