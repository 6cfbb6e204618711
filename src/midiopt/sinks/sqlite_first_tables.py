"""What the end of a first run fills while it makes the indexes: programs, hashes of sketches and words.

A thread reads the contents over a second connection, and makes what the tables will have in a temporary database of that connection. On a
machine with two busy processors the end of a run over 100,000 files takes 0.73 of its time before, 4.4 s instead of 6.6 (medians of
seven pairs, 0.58 to 1.13), and 1.02 of the processor time.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from midiopt.sinks.sqlite_file import file_uri
from midiopt.sinks.sqlite_hashes import MAX_ID
from midiopt.sinks.sqlite_programs import GREATEST, build_programs, fill_analysis_programs
from midiopt.sinks.sqlite_programs import TRIGGER as PROGRAMS_TRIGGER
from midiopt.sinks.sqlite_session import PROGRESS_STEPS
from midiopt.sinks.sqlite_sketches import SELECT_DONE, fill_sketch_hashes, read_numbers
from midiopt.sinks.sqlite_sketches import TRIGGER as SKETCHES_TRIGGER
from midiopt.sinks.sqlite_statement import connect
from midiopt.sinks.sqlite_words import TABLE as WORDS
from midiopt.sinks.sqlite_words import build_words, fill_words

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

MIN_CONTENTS = 20_000  # with 7,000 it takes 1.0 of the time
BUILT = "built"  # the temporary database, in a file without a name once it is large
_CONTENTS = "SELECT count(*), coalesce(max(id), 0) FROM analyses"
_COUNT_TRIGGERS = f"SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name IN ('{PROGRAMS_TRIGGER}', '{SKETCHES_TRIGGER}')"
_HAS_WORDS = f"SELECT count(*) FROM sqlite_master WHERE name = '{WORDS}'"


def are_empty(connection: sqlite3.Connection) -> bool:
    """Whether there is much to fill the tables with, none has been filled, and none is one of the user."""
    execute = connection.execute
    [[contents, _], [triggers]] = (execute(query).fetchone() for query in (_CONTENTS, _COUNT_TRIGGERS))
    if contents < MIN_CONTENTS or triggers < 2:
        return False
    [[greatest], [words]] = (execute(query).fetchone() for query in (GREATEST, _HAS_WORDS))
    return not greatest and not words and not execute(SELECT_DONE).fetchall()


class FirstTables:
    """Reads the database at `path` in a thread, from now on; `connection` is that of the run."""

    def __init__(self, path: str, connection: sqlite3.Connection, should_stop: Callable[[], bool], timeout: float) -> None:
        self._run_connection = connection
        self._state = self._read_state()  # before anything is read over the other connection
        self._uri = file_uri(path, "mode=rw")
        self._timeout = timeout
        self._closed = False
        self._must_end = lambda: self._closed or should_stop()
        self._connection: sqlite3.Connection | None = None
        self._handle: object | None = None
        self._numbers: Iterator[npt.NDArray[np.int64]] | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._build, name="midiopt-first-tables", daemon=True)
        self._thread.start()

    def _read_state(self) -> tuple[int, ...]:
        """What changes if another connection has committed, or this one has deleted contents."""
        [(commits,)] = self._run_connection.execute("PRAGMA data_version")
        [(contents, greatest)] = self._run_connection.execute(_CONTENTS)
        return commits, contents, greatest

    def _build(self) -> None:
        """Run in the thread. Each table is read apart, so that the log can begin anew between two."""
        try:
            options = {"uri": True, "isolation_level": None, "check_same_thread": False}
            self._connection, self._handle = connect(self._uri, timeout=self._timeout, **options)
            self._connection.set_progress_handler(self._must_end, PROGRESS_STEPS)
            self._connection.execute(f"ATTACH '' AS {BUILT}")
            if self._handle is not None and self._state[-1] <= MAX_ID:
                self._numbers = read_numbers(self._handle, 0)
            build_programs(self._connection, BUILT)
            build_words(self._connection, BUILT)  # last: the index of the files by their contents is there by now
        except BaseException as error:
            self._error = error

    def wait(self) -> sqlite3.Connection | None:
        """Wait for the thread. Returns its connection if everything is made; what has failed (no room for temporary files, too many open
        files) is to be made without it."""
        self._thread.join()
        if self._error is None:
            return self._connection
        if isinstance(self._error, (sqlite3.Error, OSError)):
            return None
        raise self._error

    def fill(self, connection: sqlite3.Connection) -> bool:
        """Fill the tables, within a transaction of wait()'s connection; False if what was read no longer holds: then nothing is done."""
        if self._read_state() != self._state:
            return False
        fill_analysis_programs(connection, BUILT)
        fill_sketch_hashes(connection, self._handle, self._numbers)
        fill_words(connection, BUILT)
        return True

    def close(self) -> None:
        """End the thread and the connection."""
        self._closed = True
        self._thread.join()
        self._numbers = None  # with its temporary file
        if self._connection:
            self._connection.close()
