"""Where rows go: one protocol, one module a database, chosen by URL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Protocol, Self

from ..errors import MissingExtra, SinkError
from ..rows import Batch


class Sink(Protocol):
    """A database that one run writes. Opening it takes the run's lock and creates or upgrades the tables.

    Every method raises SinkError when the database fails; what was written before stays. As a context
    manager a sink is closed at the end, and after an exception it is closed with ``finish=False``.
    """

    def known(self) -> Iterator[tuple[str, int, int]]:
        """Path, bytes and mtime in ns of every file that need not be read again if both are unchanged.

        That is: settled (ok, repaired or rejected) by this version of the analyser. The rows stream,
        whatever their number; read them before the first write.
        """

    def write(self, batch: Batch) -> None:
        """Commit the rows of both tables in one transaction, or none of them.

        A stored row is replaced only if something besides ``analyzed_at`` differs, so writing a batch
        twice changes nothing. Of rows with the same key in one batch the last counts.
        """

    def counts(self) -> dict[str, int]:
        """Files by status (every status is there), and `duplicates`: analysed files whose content an
        earlier one had."""

    def close(self, finish: bool = True) -> None:
        """Build the secondary indexes, which would slow every write, and release the lock.

        With ``finish=False``, after an error or an interrupt, the indexes are left to the next run.
        Closing twice does nothing.
        """

    def __enter__(self) -> Self: ...

    def __exit__(self, kind, error, traceback) -> None: ...


def open_sink(url: str | os.PathLike[str]) -> Sink:
    """Open the database that `url` names, for writing.

    ``postgresql://...`` and ``postgres://...`` are PostgreSQL; ``sqlite:///relative.db``,
    ``sqlite:////absolute.db`` and a bare path are SQLite. Raises SinkError when it cannot be used,
    DatabaseBusy while another run writes it and MissingExtra without the PostgreSQL driver.
    """
    url = os.fspath(url)
    scheme, colon, rest = url.partition("://")
    if colon and scheme in ("postgresql", "postgres"):
        try:
            import psycopg  # noqa: F401
        except ImportError as error:
            raise MissingExtra("PostgreSQL", "postgres") from error
        from .postgres import PostgresSink

        return PostgresSink(url)
    if colon and scheme == "sqlite" and rest[:1] == "/":
        path = rest[1:]
    elif colon:
        raise SinkError(f"{scheme}:// is not a database midiopt knows; use a path, sqlite:///path or postgresql://...")
    else:
        path = url
    from .sqlite import SqliteSink

    return SqliteSink(path)
