"""Which errors of PostgreSQL a later attempt may not meet, how long to try, and what to say in the end."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

import psycopg
from psycopg.errors import DeadlockDetected, LockNotAvailable, ReadOnlySqlTransaction, SerializationFailure

from midiopt.errors import DatabaseBusy, SinkError, Stopped
from midiopt.run_log import event

STOP_TIMEOUT = 5.0  # seconds that an unavailable server has to come back, or a lock to be released, once the run is asked to end
CONFLICT_DELAYS = (0.05, 0.1, 0.2, 0.4)  # seconds before each retry of a transaction that conflicted with another one
MIN_RETRY_DELAY, MAX_RETRY_DELAY = 0.1, 2.0  # seconds between two attempts to reach the server; each delay is twice the last one
NOTICE_DELAY = 2.0  # seconds that a server may be away before the user is told

# SQLSTATEs (PostgreSQL manual, appendix A) of a session that has ended or could not begin, whoever ended it: the connection broke,
# the server shuts down or starts up, the session was idle for too long, alone or in a transaction, its transaction took too long,
# all connections are in use. Errors of libpq itself, such as a refused connection, have none.
TRANSIENT_SQLSTATES = ("08", "57P01", "57P02", "57P03", "57P05", "25P03", "25P04", "53300")


class Retries:
    """Decides after each failed attempt of one action whether there is another one: ``handle`` returns, or raises what ends it.

    ``timeout()`` seconds are the limit, from the first failure, or of all waits for locks. ``raise_stopped`` lets a requested end of the
    run raise Stopped.
    """

    def __init__(
        self,
        timeout: Callable[[], float],
        should_stop: Callable[[], bool],
        closing: threading.Event,
        notify: Callable[[str], None],
        check_database: Callable[[], None],
        raise_stopped: bool = False,
    ) -> None:
        self._timeout = timeout
        self._should_stop = should_stop
        self._closing = closing
        self._notify = notify
        self._check_database = check_database
        self._raise_stopped = raise_stopped
        self._conflict_delays = iter(CONFLICT_DELAYS)
        self._retry_delay = MIN_RETRY_DELAY
        self._first_error: Exception | None = None
        self._unavailable_since = self._locked_seconds = 0.0
        self._has_told = False

    @property
    def is_reconnect(self) -> bool:
        """Whether the connection may have broken since the action began."""
        return self._first_error is not None

    def handle(self, error: Exception, lock_seconds: float = 0.0) -> None:
        """Wait until the next attempt is due. ``lock_seconds`` is how long the server itself waits for a lock; 0: it gives up at once."""
        if isinstance(error, (DeadlockDetected, SerializationFailure)):
            self._handle_conflict(error)
        elif isinstance(error, LockNotAvailable) and lock_seconds:
            self._handle_lock(error, lock_seconds)
        elif is_transient(error):
            self._handle_break(error)
        else:
            raise error

    def _handle_conflict(self, error: Exception) -> None:
        delay = next(self._conflict_delays, None)
        if delay is None:
            raise error
        event("retry", reason=sentence(error))
        self._closing.wait(delay)

    def _handle_lock(self, error: Exception, lock_seconds: float) -> None:
        """The server has waited for the lock already, so the next attempt is due at once.

        Only its waits count: at the end of a run minutes of making indexes may lie between two of them.
        """
        self._locked_seconds += lock_seconds
        self._check_stop(error)
        limit = self._timeout()
        if self._closing.is_set() or self._locked_seconds >= limit:
            raise SinkError(lock_sentence(self._locked_seconds)) from error
        self._tell("wait", f"another session has locked a table of the database; waiting up to {limit:g} seconds")

    def _handle_break(self, error: Exception) -> None:
        self._first_error = self._first_error or error
        now = time.monotonic()
        self._unavailable_since = self._unavailable_since or now
        self._check_stop(error)
        limit = self._timeout()
        if self._closing.is_set() or now + self._retry_delay > self._unavailable_since + limit:
            raise SinkError(f"{sentence(self._first_error)}; {_give_up_reason(error, limit)}") from self._first_error
        self._check_database()
        event("reconnect", reason=sentence(error))
        if now > self._unavailable_since + NOTICE_DELAY:
            self._tell("wait", f"{sentence(self._first_error)}; waiting up to {limit:g} seconds for the server")
        self._closing.wait(self._retry_delay)
        self._retry_delay = min(2 * self._retry_delay, MAX_RETRY_DELAY)

    def _check_stop(self, error: Exception) -> None:
        if self._raise_stopped and self._should_stop():
            raise Stopped(sentence(error)) from error

    def _tell(self, name: str, reason: str) -> None:
        if not self._has_told:
            self._has_told = True
            event(name, reason=reason)
            self._notify(reason)


@contextlib.contextmanager
def sink_errors() -> Iterator[None]:
    """Raise errors of psycopg as a SinkError."""
    try:
        yield
    except LockNotAvailable as error:  # where nothing is tried again, the server has waited as long as it was told to
        raise SinkError(f"{sentence(error)}: {lock_sentence()}") from error
    except psycopg.Error as error:
        raise SinkError(sentence(error)) from error


def sentence(error: Exception) -> str:
    """What PostgreSQL or libpq says, in one line."""
    primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    text = primary or " ".join(str(error).split())
    if isinstance(error, ReadOnlySqlTransaction):
        text = f"the database is read-only ({text})"
    return f"PostgreSQL: {text}"


def lock_sentence(seconds: float | None = None) -> str:
    """Why a run ends that did not get a lock."""
    waited = "" if seconds is None else f" for {seconds:.0f} seconds"
    return (
        f"another session has locked a table of the database{waited}; end that session (the view pg_locks shows it) or raise"
        " --sink-timeout, then run the same command again"
    )


def is_transient(error: Exception) -> bool:
    """Whether a later attempt may succeed: the session has ended, or another run holds the lock that was lost with it."""
    if isinstance(error, psycopg.Error):
        no_state = "08" if isinstance(error, psycopg.OperationalError) else ""
        return (error.sqlstate or no_state).startswith(TRANSIENT_SQLSTATES)
    return isinstance(error, DatabaseBusy)


def _give_up_reason(error: Exception, timeout: float) -> str:
    last = str(error) if isinstance(error, DatabaseBusy) else f"PostgreSQL did not come back within {timeout:g} seconds"
    return f"{last}; committed batches stay, run the same command again to resume"
