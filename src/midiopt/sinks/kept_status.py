"""What `midiopt status` shows, kept in the table `meta` after a run: counting a million files takes two seconds."""

from __future__ import annotations

import contextlib
import sqlite3

from midiopt.sinks.dialects import POSTGRES, SQLITE
from midiopt.sinks.sql import upsert_meta
from midiopt.sinks.urls import is_postgres, sqlite_path

KEY = "status"
SELECT = f"SELECT value FROM meta WHERE key = '{KEY}'"
TIMEOUT = 1.0  # seconds to wait for a lock: what is not kept is counted when it is asked for


def write_status(url: str, text: str) -> None:
    """Store the text over a connection of its own. Raises SinkError."""
    if is_postgres(url):
        from midiopt.sinks.postgres_retries import sink_errors as postgres_errors
        from midiopt.sinks.postgres_session import connect

        with postgres_errors(), contextlib.closing(connect(url)) as session:
            session.execute(f"SET lock_timeout = {round(TIMEOUT * 1000)}")
            session.execute(upsert_meta(POSTGRES), [KEY, text])
        return
    from midiopt.sinks.sqlite_file import file_uri
    from midiopt.sinks.sqlite_session import sink_errors as sqlite_errors

    path = sqlite_path(url)
    uri = file_uri(path, "mode=rw")
    with sqlite_errors(path), contextlib.closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=TIMEOUT)) as connection:
        connection.execute(upsert_meta(SQLITE), [KEY, text])
