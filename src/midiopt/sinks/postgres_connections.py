"""Connections to PostgreSQL: the control connection with the lock of the run, a pool for commits, and replacements for broken ones.

Whatever ends a session is survived (postgres_retries.py): its action is repeated over a new one. So is a lock of another session.
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg.errors import QueryCanceled

from midiopt.errors import DatabaseBusy, SinkError, Stopped
from midiopt.sinks.postgres_retries import MAX_RETRY_DELAY, STOP_TIMEOUT, Retries, sink_errors
from midiopt.sinks.postgres_session import (
    CONNECT_TIMEOUT,
    Connection,
    connect,
    create_schema,
    lift_time_limits,
    session_parameters,
    set_lock_timeout,
    set_output,
    take_lock,
)
from midiopt.sinks.urls import split_schema

if TYPE_CHECKING:
    from psycopg_pool import ConnectionPool

Result = TypeVar("Result")

POLL_INTERVAL = 0.2  # seconds between two checks whether to cancel the current statement
LOCK_POLL = 1.0  # seconds that the server waits for a lock on behalf of the control connection; then signals and the timeout are checked


class Connections:
    """The connections of one run. Opening them takes the run's lock on the current schema.

    A broken connection is replaced, and the action that used it is repeated, until `timeout` seconds have passed since the
    break. So an action must be one transaction that may be repeated.
    """

    def __init__(self, url: str, timeout: float, should_stop: Callable[[], bool], notify: Callable[[str], None]) -> None:
        self.should_stop = should_stop
        self._timeout = timeout
        self._notify = notify
        self._url, self._schema = split_schema(url)
        self._closing = threading.Event()
        self._control_mutex = threading.Lock()
        self._side_by_side: set[Connection] = set()  # those that run_side_by_side() uses now
        self._pool: ConnectionPool[Connection] | None = None
        self._configure: Callable[[Connection], None] = _do_nothing
        self._lock_poll = 0.0
        self.control = connect(url)
        self._session = session_parameters(self._url, self._schema)
        try:
            with sink_errors():
                if self._schema is not None:
                    create_schema(self.control, self._schema)
                [(self._database, lock_timeout)] = self.control.execute("SELECT current_database(), current_setting('lock_timeout')")
                self._lock_poll = LOCK_POLL if lock_timeout == "0" else 0.0  # a limit of the user's own, from the URL or the role, stays
                self._prepare_control(self.control)
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
        from psycopg_pool import ConnectionPool, NullConnectionPool, PoolTimeout  # 6 ms, which a command that reads does without

        self.run_on_control(configure)  # if this fails, the error says why; the pool would only retry
        self._configure = configure
        self._pool = (ConnectionPool if warm else NullConnectionPool)(
            self._url,
            kwargs=self._session,
            min_size=size if warm else 0,
            max_size=size,
            max_lifetime=math.inf,
            reconnect_timeout=0,  # _with_retries() tries again ...
            configure=self._prepare_for_commits,
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
            return self._with_retries(lambda: action(self.control), self._retries(timeout=timeout), self._lock_poll)

    def run_side_by_side(self, statements: list[str]) -> None:
        """Run statements on the connections of the pool, begun in this order, within run_cancellable().

        Each is a transaction of its own, which may be repeated.
        """
        assert self._pool is not None
        pool = self._pool
        told: set[str] = set()

        def tell_once(reason: str) -> None:
            if reason not in told:
                told.add(reason)
                self._notify(reason)

        def attempt(statement: str) -> None:
            if self.should_stop():
                raise Stopped("the database was not completed")
            with pool.connection() as connection:
                if self._lock_poll:
                    set_lock_timeout(connection, self._lock_poll)
                self._side_by_side.add(connection)
                try:
                    connection.execute(statement)
                finally:
                    self._side_by_side.remove(connection)

        def run(statement: str) -> None:
            retries = self._retries(raise_stopped=True, notify=tell_once)
            self._with_retries(lambda: attempt(statement), retries, self._lock_poll)

        with ThreadPoolExecutor(pool.max_size, "midiopt-index") as threads:
            running = [threads.submit(run, statement) for statement in statements]
            try:
                for future in running:
                    future.result()
            finally:
                threads.shutdown(cancel_futures=True)

    def run_cancellable(self, action: Callable[[Connection], Result]) -> Result:
        """Run a long action on the control connection; raises Stopped when the run is asked to end."""
        with self.cancel_when_stopped(), sink_errors():
            return self._with_retries(lambda: action(self.control), self._retries(raise_stopped=True), self._lock_poll)

    def pages(self, query: str, rows: int) -> Generator[list[Any]]:
        """The rows of a query over the control connection, in pages; raises Stopped when the run is asked to end.

        When the connection breaks, they come again from the first one.
        """
        retries = self._retries(raise_stopped=True)

        def open_cursor() -> tuple[contextlib.ExitStack, psycopg.ServerCursor[tuple[Any, ...]]]:
            with contextlib.ExitStack() as resources:
                resources.enter_context(self.control.transaction())
                # A cursor WITH HOLD needs no transaction, which an unread page leaves open, but takes twice as long.
                cursor = resources.enter_context(self.control.cursor("pages", binary=True))
                cursor.execute(query)
                return resources.pop_all(), cursor

        with self.cancel_when_stopped(), sink_errors():
            while True:
                resources, cursor = self._with_retries(open_cursor, retries, self._lock_poll)
                try:
                    with resources:
                        while page := cursor.fetchmany(rows):
                            if self.should_stop():
                                raise Stopped("a query of the database was interrupted")
                            yield page
                        return
                except psycopg.Error as error:
                    retries.handle(error)

    @contextlib.contextmanager
    def cancel_when_stopped(self) -> Iterator[None]:
        """While the with block runs, cancel the statement of the control connection, and those that run side by side, and raise Stopped
        once the run is asked to end."""
        finished = threading.Event()

        def watch() -> None:
            while not finished.wait(POLL_INTERVAL):
                if self.should_stop():
                    for connection in (self.control, *self._side_by_side):
                        with contextlib.suppress(psycopg.Error):  # the connection broke: there is nothing to cancel
                            connection.cancel_safe(timeout=CONNECT_TIMEOUT)

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
            return self._with_retries(attempt, self._retries())

    def _retries(self, raise_stopped: bool = False, timeout: float | None = None, notify: Callable[[str], None] | None = None) -> Retries:
        def limit() -> float:
            return self.timeout if timeout is None else timeout

        return Retries(limit, self.should_stop, self._closing, notify or self._notify, self._check_database, raise_stopped)

    def _with_retries(self, attempt: Callable[[], Result], retries: Retries, lock_seconds: float = 0.0) -> Result:
        while True:
            try:
                if retries.is_reconnect:
                    self._hold_lock()
                    self._check_pool()
                return attempt()
            except (psycopg.Error, DatabaseBusy) as error:
                retries.handle(error, lock_seconds)

    def _hold_lock(self) -> None:
        """Make sure that the lock is held, over a new control connection if the old one broke."""
        with self._control_mutex:
            with contextlib.suppress(psycopg.Error):
                self.control.execute("SELECT")
                return
            self.control.close()
            control: Connection = psycopg.connect(self._url, **self._session)
            try:
                set_output(control)
                self._prepare_control(control)
                self._configure(control)  # if the tables are gone, the error says so; the pool would only retry
            except BaseException:
                control.close()
                raise
            self.control = control

    def _prepare_control(self, control: Connection) -> None:
        if self._lock_poll:
            set_lock_timeout(control, self._lock_poll)
        if control.info.server_version >= 140000:
            control.execute("SET idle_session_timeout = 0")  # the run's lock ends with this session, which idles during commits
        lift_time_limits(control)
        take_lock(control)

    def _prepare_for_commits(self, connection: Connection) -> None:
        """A commit thread may wait for a lock for the whole timeout: nothing but the end of the run interrupts it."""
        if self._lock_poll:
            set_lock_timeout(connection, self._timeout)
        set_output(connection)
        lift_time_limits(connection)
        self._configure(connection)

    def _check_database(self) -> None:
        """Raise SinkError if the database is no longer on its server: nobody need wait for it."""
        for name in {"postgres", "template1"} - {self._database}:
            with contextlib.suppress(psycopg.Error), psycopg.connect(self._url, **self._session | {"dbname": name}) as connection:
                if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [self._database]).fetchall():
                    raise SinkError(
                        f"PostgreSQL: the database {self._database} was dropped or renamed during the run, and the rows so far with it;"
                        " name the right database and run the command again"
                    )
                return

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


def _do_nothing(connection: Connection) -> None:
    """Until the pool is opened, sessions need no tables of their own."""
