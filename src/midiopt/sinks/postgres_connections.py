"""Connections to PostgreSQL: one that holds the run's lock, a pool for its writers, and new ones when they break."""

from __future__ import annotations

import contextlib
import logging
import math
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from urllib.parse import unquote

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import DeadlockDetected, QueryCanceled, ReadOnlySqlTransaction, SerializationFailure
from psycopg_pool import ConnectionPool, NullConnectionPool, PoolTimeout

from midiopt.errors import DatabaseBusy, SinkError, Stopped
from midiopt.run_log import event
from midiopt.schema import PRODUCT

Answer = TypeVar("Answer")

LOCK = int.from_bytes(PRODUCT[:4].encode())  # beside it stands the schema's oid: one run a schema
OPENING = 10  # seconds for connections to open
HASTE = 5.0  # seconds that a server which is away has to come back when the run is to end
PAUSES = (0.05, 0.1, 0.2, 0.4)  # seconds before a transaction that others got in the way of is tried again
LOOK = 0.2  # seconds between two looks whether to leave a statement
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0  # seconds between two tries to reach a server that is away; each is twice the one before

# A network that drops packets without a word is noticed within a minute; what the URL says goes before.
NETWORK = {"connect_timeout": OPENING, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}

# States of an error that another try may find gone (PostgreSQL, "Error Codes"): the connection broke, the server
# shuts down or starts up, all its connections are in use. libpq's own errors, such as a refused connection, have none.
AWAY = ("08", "57P01", "57P02", "57P03", "53300")

logging.getLogger("psycopg").addHandler(logging.NullHandler())  # or its pool would warn on stderr: errors say enough


class Connections:
    """The connections of one run. Opening takes the run's lock on the current schema.

    What breaks is opened again, and what was being done is done again, until `patience` seconds have
    passed since it broke. So an action has to be one transaction that may be repeated.
    """

    def __init__(self, url: str, patience: float) -> None:
        self._patience = patience
        self.stopped: Callable[[], bool] = bool  # never
        self._url = url
        self._leaving = threading.Event()
        self._mutex = threading.Lock()
        self._pool: ConnectionPool | None = None
        self.home = connect(url)
        self._session = _session(url)
        try:
            with errors():
                _lock(self.home)
        except BaseException:
            self.home.close()
            raise

    @property
    def patience(self) -> float:
        """Seconds that a server may be away by now."""
        return min(self._patience, HASTE) if self.stopped() else self._patience

    @patience.setter
    def patience(self, seconds: float) -> None:
        self._patience = seconds

    def open_writers(self, writers: int, warm: bool, prepare: Callable[[psycopg.Connection], None]) -> None:
        """Open a pool of `writers` connections; with a fixed size none is closed for its age or for being idle.

        With `warm` false every action opens one instead. `prepare` is called with each that is opened.
        """
        with errors():
            prepare(self.home)  # what cannot be done tells why; the pool would only try again
        self._pool = (ConnectionPool if warm else NullConnectionPool)(
            self._url,
            kwargs=self._session,
            min_size=writers if warm else 0,
            max_size=writers,
            max_lifetime=math.inf,
            reconnect_timeout=0,  # _patiently() asks again ...
            configure=prepare,
            timeout=LONGEST_PAUSE if warm else OPENING,  # ... and must not wait long for a pool that has given up
            open=False,
        )
        try:
            self._pool.open(wait=True, timeout=OPENING)
        except PoolTimeout:
            reason = f"PostgreSQL gave no {writers + 1} connections; let it have more, or run with fewer writers"
            raise SinkError(reason) from None

    def at_home(self, action: Callable[[psycopg.Connection], Answer]) -> Answer:
        """Do `action` with the connection that holds the lock."""
        with errors():
            return self._patiently(lambda: action(self.home))

    def at_leisure(self, action: Callable[[psycopg.Connection], Answer]) -> Answer:
        """The same for one that takes long: Stopped comes out of it when the run is to end."""
        with self.left_when_stopped(), errors():
            return self._patiently(lambda: action(self.home), self.stopped)

    @contextlib.contextmanager
    def left_when_stopped(self) -> Iterator[None]:
        """What the home connection has the server do meanwhile is cancelled when the run is to end, and Stopped raised."""
        over = threading.Event()

        def look() -> None:
            while not over.wait(LOOK):
                if self.stopped():
                    with contextlib.suppress(psycopg.Error):  # it broke: there is nothing to cancel
                        self.home.cancel_safe(timeout=OPENING)

        looking = threading.Thread(target=look, name="midiopt-cancel", daemon=True)
        looking.start()
        try:
            yield
        except SinkError as error:
            if self.stopped() and isinstance(error.__cause__, QueryCanceled):
                raise Stopped(str(error)) from error
            raise
        finally:
            over.set()
            looking.join()  # or it could cancel what comes next

    def as_writer(self, action: Callable[[psycopg.Connection], Answer]) -> Answer:
        """Do `action` with a connection of the pool; any number of threads may."""
        assert self._pool is not None
        pool = self._pool

        def attempt() -> Answer:
            with pool.connection() as connection:
                return action(connection)

        with errors():
            return self._patiently(attempt)

    def _patiently(self, attempt: Callable[[], Answer], stopped: Callable[[], bool] = bool) -> Answer:
        conflicts = iter(PAUSES)
        pause, since = FIRST_PAUSE, 0.0
        broke: Exception | None = None
        while True:
            try:
                if broke:
                    self._hold_lock()
                    self._replace_broken()
                return attempt()
            except (DeadlockDetected, SerializationFailure) as error:
                wait = next(conflicts, None)
                if wait is None:
                    raise
                event("retry", reason=_reason(error))
            except (psycopg.OperationalError, DatabaseBusy) as error:
                if not _is_away(error):
                    raise
                if stopped():
                    raise Stopped(_reason(error)) from error
                broke, since = broke or error, since or time.monotonic()
                if self._leaving.is_set() or time.monotonic() + pause > since + self.patience:
                    raise SinkError(f"{_reason(broke)}; {self._why_in_vain(error)}") from broke
                event("reconnect", reason=_reason(error))
                wait, pause = pause, min(2 * pause, LONGEST_PAUSE)
            self._leaving.wait(wait)

    def _why_in_vain(self, error: Exception) -> str:
        last = str(error) if isinstance(error, DatabaseBusy) else f"PostgreSQL did not come back within {self.patience:g} seconds"
        return f"{last}; what was committed stays, run the same command again to go on"

    def _hold_lock(self) -> None:
        """Make sure that the lock is held, over a new connection where the old one broke."""
        with self._mutex:
            with contextlib.suppress(psycopg.OperationalError):
                self.home.execute("SELECT")
                return
            self.home.close()
            home = psycopg.connect(self._url, **self._session)
            try:
                _lock(home)
            except BaseException:
                home.close()
                raise
            self.home = home

    def _replace_broken(self) -> None:
        """Have the pool open anew what broke while nobody used it: connections that break more often than every
        LONGEST_PAUSE would be found broken at each try."""
        if self._pool is not None:
            self._pool.check()

    def leave(self) -> None:
        """From here on nothing is tried again."""
        self._leaving.set()

    def close(self, in_order: bool = True) -> None:
        """Give the lock back and close all; if not `in_order`, without a word to a server that may not answer."""
        if self._pool is not None:
            self._pool.close(timeout=1)
        if in_order:  # the server may notice only later that the session is gone
            with contextlib.suppress(psycopg.Error):
                self.home.execute("SELECT pg_advisory_unlock_all()")
        self.home.close()


def connect(url: str) -> psycopg.Connection:
    """A connection, or a SinkError that tells why there is none and nothing of a password."""
    try:
        return psycopg.connect(url, **_session(url))
    except psycopg.Error as error:
        reason = " ".join(str(error).split())
        if any(part in reason for part in _secrets(url)):
            reason = "the URL is not as expected, or its server does not answer; in a password write @ : / ? # as %40 %3A %2F %3F %23"
        raise SinkError(f"cannot connect to PostgreSQL: {reason}") from None  # the cause would show it


def _session(url: str) -> dict[str, Any]:
    """How to connect to `url`, which itself may say otherwise."""
    return {"autocommit": True, "client_encoding": "UTF8"} | {k: v for k, v in NETWORK.items() if k not in conninfo_to_dict(url)}


def _secrets(url: str) -> set[str]:
    """Every piece of a password in `url`, also of one that libpq reads as something else and quotes."""
    user = url.partition("://")[2].rpartition("@")[0]
    passwords = [user.partition(":")[2], *re.findall(r"password=([^&]*)", url)]
    return {part for p in passwords for part in [*re.split(r"[@:/?#&=\[\]]", p), unquote(p)] if part}


@contextlib.contextmanager
def errors() -> Iterator[None]:
    """What the driver raises, as a SinkError of one sentence."""
    try:
        yield
    except psycopg.Error as error:
        raise SinkError(_reason(error)) from error


def _reason(error: Exception) -> str:
    primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    sentence = primary or " ".join(str(error).split())
    if isinstance(error, ReadOnlySqlTransaction):
        sentence = f"the database is read-only ({sentence})"
    return f"PostgreSQL: {sentence}"


def _is_away(error: Exception) -> bool:
    """Whether another try may succeed: the connection broke, or another run has the lock that went with it."""
    return isinstance(error, DatabaseBusy) or (isinstance(error, psycopg.Error) and (error.sqlstate or "08").startswith(AWAY))


def _lock(connection: psycopg.Connection) -> None:
    """Take the lock of the current schema, held until the session ends."""
    row = connection.execute(
        "SELECT pg_try_advisory_lock(%s, oid::int4) FROM pg_namespace WHERE nspname = current_schema()", (LOCK,)
    ).fetchone()
    if row is None:
        raise SinkError("PostgreSQL: there is no schema to create tables in; check search_path")
    if not row[0]:
        raise DatabaseBusy("another run is writing this database; wait until it has ended")
