"""Connections to PostgreSQL: the control connection with the lock of the run, a pool for commits, and replacements for broken ones."""

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

Connection = psycopg.Connection[tuple[Any, ...]]
Result = TypeVar("Result")

LOCK_CLASS = int.from_bytes(PRODUCT[:4].encode())  # the other half of the advisory lock is the oid of the schema: one run per schema
CONNECT_TIMEOUT = 10  # seconds
STOP_TIMEOUT = 5.0  # seconds that an unavailable server has to come back once the run is asked to end
CONFLICT_DELAYS = (0.05, 0.1, 0.2, 0.4)  # seconds before each retry of a transaction that conflicted with another one
POLL_INTERVAL = 0.2  # seconds between two checks whether to cancel the current statement
MIN_RETRY_DELAY, MAX_RETRY_DELAY = 0.1, 2.0  # seconds between two attempts to reach the server; each delay is twice the last one

# A network that drops packets silently is noticed within a minute. Parameters in the URL take precedence.
NETWORK = {
    "connect_timeout": CONNECT_TIMEOUT,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}

# SQLSTATEs (PostgreSQL manual, appendix A) that a later attempt may not meet: the connection broke, the server shuts down or
# starts up, all its connections are in use. Errors of libpq itself, such as a refused connection, have none.
TRANSIENT_SQLSTATES = ("08", "57P01", "57P02", "57P03", "53300")

logging.getLogger("psycopg").addHandler(logging.NullHandler())  # its pool would print warnings to stderr; the errors say enough


class Connections:
    """The connections of one run. Opening them takes the run's lock on the current schema.

    A broken connection is replaced, and the action that used it is repeated, until `timeout` seconds have passed since the
    break. So an action must be one transaction that may be repeated.
    """

    def __init__(self, url: str, timeout: float, should_stop: Callable[[], bool]) -> None:
        self.should_stop = should_stop
        self._timeout = timeout
        self._url = url
        self._closing = threading.Event()
        self._control_mutex = threading.Lock()
        self._pool: ConnectionPool[Connection] | None = None
        self.control = connect(url)
        self._session = _session_parameters(url)
        try:
            with sink_errors():
                _take_lock(self.control)
        except BaseException:
            self.control.close()
            raise

    @property
    def timeout(self) -> float:
        """Seconds that the server may be unavailable: fewer once the run is asked to end."""
        return min(self._timeout, STOP_TIMEOUT) if self.should_stop() else self._timeout

    def open_pool(self, size: int, warm: bool, configure: Callable[[Connection], None]) -> None:
        """Open a pool of `size` connections; none is closed for its age or for being idle.

        If `warm` is false, every action opens one instead. `configure` is called with each new connection.
        """
        with sink_errors():
            configure(self.control)  # if this fails, the error says why; the pool would only retry
        self._pool = (ConnectionPool if warm else NullConnectionPool)(
            self._url,
            kwargs=self._session,
            min_size=size if warm else 0,
            max_size=size,
            max_lifetime=math.inf,
            reconnect_timeout=0,  # _with_retries() tries again ...
            configure=configure,
            timeout=MAX_RETRY_DELAY if warm else CONNECT_TIMEOUT,  # ... and must not wait long for a pool that has given up
            open=False,
        )
        try:
            self._pool.open(wait=True, timeout=CONNECT_TIMEOUT)
        except PoolTimeout:
            reason = f"PostgreSQL did not open {size + 1} connections; raise its limit, or run with fewer writers"
            raise SinkError(reason) from None

    def run_on_control(self, action: Callable[[Connection], Result], timeout: float | None = None) -> Result:
        """Run an action on the control connection; `timeout` replaces the default one."""
        with sink_errors():
            return self._with_retries(lambda: action(self.control), timeout=timeout)

    def run_cancellable(self, action: Callable[[Connection], Result]) -> Result:
        """Run a long action on the control connection; raises Stopped when the run is asked to end."""
        with self.cancel_when_stopped(), sink_errors():
            return self._with_retries(lambda: action(self.control), raise_stopped=True)

    @contextlib.contextmanager
    def cancel_when_stopped(self) -> Iterator[None]:
        """While the with block runs, cancel the statement of the control connection and raise Stopped once the run is asked to end."""
        finished = threading.Event()

        def watch() -> None:
            while not finished.wait(POLL_INTERVAL):
                if self.should_stop():
                    with contextlib.suppress(psycopg.Error):  # the connection broke: there is nothing to cancel
                        self.control.cancel_safe(timeout=CONNECT_TIMEOUT)

        watcher = threading.Thread(target=watch, name="midiopt-cancel", daemon=True)
        watcher.start()
        try:
            yield
        except SinkError as error:
            if self.should_stop() and isinstance(error.__cause__, QueryCanceled):
                raise Stopped(str(error)) from error
            raise
        finally:
            finished.set()
            watcher.join()  # otherwise it could cancel the next statement

    def run_on_pool(self, action: Callable[[Connection], Result]) -> Result:
        """Run an action on a connection of the pool; any number of threads may."""
        assert self._pool is not None
        pool = self._pool

        def attempt() -> Result:
            with pool.connection() as connection:
                return action(connection)

        with sink_errors():
            return self._with_retries(attempt)

    def _with_retries(self, attempt: Callable[[], Result], raise_stopped: bool = False, timeout: float | None = None) -> Result:
        conflict_delays = iter(CONFLICT_DELAYS)
        retry_delay, unavailable_since = MIN_RETRY_DELAY, 0.0
        first_error: Exception | None = None
        while True:
            try:
                if first_error:
                    self._hold_lock()
                    self._check_pool()
                return attempt()
            except (DeadlockDetected, SerializationFailure) as error:
                delay = next(conflict_delays, None)
                if delay is None:
                    raise
                event("retry", reason=_sentence(error))
            except (psycopg.OperationalError, DatabaseBusy) as error:
                if not _is_transient(error):
                    raise
                if raise_stopped and self.should_stop():
                    raise Stopped(_sentence(error)) from error
                first_error, unavailable_since = first_error or error, unavailable_since or time.monotonic()
                limit = self.timeout if timeout is None else timeout
                if self._closing.is_set() or time.monotonic() + retry_delay > unavailable_since + limit:
                    raise SinkError(f"{_sentence(first_error)}; {_give_up_reason(error, limit)}") from first_error
                event("reconnect", reason=_sentence(error))
                delay, retry_delay = retry_delay, min(2 * retry_delay, MAX_RETRY_DELAY)
            self._closing.wait(delay)

    def _hold_lock(self) -> None:
        """Make sure that the lock is held, over a new control connection if the old one broke."""
        with self._control_mutex:
            with contextlib.suppress(psycopg.OperationalError):
                self.control.execute("SELECT")
                return
            self.control.close()
            control: Connection = psycopg.connect(self._url, **self._session)
            try:
                _take_lock(control)
            except BaseException:
                control.close()
                raise
            self.control = control

    def _check_pool(self) -> None:
        """Let the pool replace connections that broke while unused. If they break more often than every MAX_RETRY_DELAY,
        every attempt would otherwise get a broken one."""
        if self._pool is not None:
            self._pool.check()

    def stop_retrying(self) -> None:
        """From now on every failed attempt is the last one."""
        self._closing.set()

    def close(self, unlock: bool = True) -> None:
        """Close all connections. With `unlock` false, say nothing to a server that may not answer."""
        if self._pool is not None:
            self._pool.close(timeout=1)
        if unlock:  # the server may notice the end of the session only later
            with contextlib.suppress(psycopg.Error):
                self.control.execute("SELECT pg_advisory_unlock_all()")
        self.control.close()


def connect(url: str) -> Connection:
    """A new connection. Raises SinkError with the reason, and without any part of a password."""
    try:
        connection: Connection = psycopg.connect(url, **_session_parameters(url))
        return connection
    except psycopg.Error as error:
        reason = " ".join(str(error).split())
        if any(part in reason for part in _password_parts(url)):
            reason = "malformed URL, or its server does not answer; in a password write @ : / ? # as %40 %3A %2F %3F %23"
        raise SinkError(f"cannot connect to PostgreSQL: {reason}") from None  # the cause would show the password


def _session_parameters(url: str) -> dict[str, Any]:
    """Connection parameters that `url` does not set itself."""
    return {"autocommit": True, "client_encoding": "UTF8"} | {k: v for k, v in NETWORK.items() if k not in conninfo_to_dict(url)}


def _password_parts(url: str) -> set[str]:
    """Every piece of a password in `url`, also of one that libpq takes for something else and quotes."""
    user = url.partition("://")[2].rpartition("@")[0]
    passwords = [user.partition(":")[2], *re.findall(r"password=([^&]*)", url)]
    return {part for p in passwords for part in [*re.split(r"[@:/?#&=\[\]]", p), unquote(p)] if part}


@contextlib.contextmanager
def sink_errors() -> Iterator[None]:
    """Raise errors of the driver as a SinkError of one sentence."""
    try:
        yield
    except psycopg.Error as error:
        raise SinkError(_sentence(error)) from error


def _sentence(error: Exception) -> str:
    primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    sentence = primary or " ".join(str(error).split())
    if isinstance(error, ReadOnlySqlTransaction):
        sentence = f"the database is read-only ({sentence})"
    return f"PostgreSQL: {sentence}"


def _give_up_reason(error: Exception, timeout: float) -> str:
    last = str(error) if isinstance(error, DatabaseBusy) else f"PostgreSQL did not come back within {timeout:g} seconds"
    return f"{last}; committed batches stay, run the same command again to resume"


def _is_transient(error: Exception) -> bool:
    """Whether a later attempt may succeed: the connection broke, or another run holds the lock that was lost with it."""
    if isinstance(error, psycopg.Error):
        return (error.sqlstate or "08").startswith(TRANSIENT_SQLSTATES)
    return isinstance(error, DatabaseBusy)


def _take_lock(connection: Connection) -> None:
    """Take the lock of the current schema; it is held until the session ends."""
    row = connection.execute(
        "SELECT pg_try_advisory_lock(%s, oid::int4) FROM pg_namespace WHERE nspname = current_schema()", (LOCK_CLASS,)
    ).fetchone()
    if row is None:
        raise SinkError("PostgreSQL: there is no schema to create tables in; check search_path")
    if not row[0]:
        raise DatabaseBusy("another run is writing this database; wait until it has ended")
