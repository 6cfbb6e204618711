"""Where the tasks of a run are executed, if not in worker processes of its own: any concurrent.futures.Executor, or Dask."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, Protocol

from midiopt.errors import MidioptError, MissingExtra
from midiopt.limits import DASK, DASK_LOCAL
from midiopt.pipeline.cores import available_cores

CONNECT_TIMEOUT = 10.0  # seconds that one attempt to reach a scheduler may take; on a busy machine 4 were not enough
UNKNOWN_SLOTS = 16  # tasks at the same time, where neither the executor nor --workers says how many


class Connection(Protocol):
    """An executor, with what concurrent.futures.Executor lacks."""

    def submit(self, function: Callable[..., Any], *arguments: object) -> Future[Any]:
        """Start a call. Raises some exception where the executor is gone."""

    def slots(self) -> int:
        """How many calls it executes at the same time, now."""

    def reconnect(self) -> None:
        """Look for the executor again after its loss. Raises OSError when it is not there yet, MidioptError if it cannot come back."""

    def close(self) -> None:
        """Release what belongs to the connection; the executor of a caller stays."""


def connect(executor: Executor | str, workers: int | None) -> Connection:
    """The executor with this name, or that of the caller. ``workers`` limits the tasks at the same time.

    Raises MissingExtra without Dask, and MidioptError if nobody answers at the address of the scheduler.
    """
    if not isinstance(executor, str):
        return _Given(executor, workers)
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise MissingExtra("Dask", "cluster") from error
    return _Dask(None if executor == DASK_LOCAL else executor.removeprefix(DASK).rstrip("/"), workers)


class _Given:
    """An executor that the caller has made."""

    def __init__(self, executor: Executor, workers: int | None) -> None:
        self._executor = executor
        self._workers = workers

    def submit(self, function: Callable[..., Any], *arguments: object) -> Future[Any]:
        """Start a call."""
        return self._executor.submit(function, *arguments)

    def slots(self) -> int:
        """As many as the caller says, else the executor: mpi4py has a public attribute, those of Python a private one."""
        known = (getattr(self._executor, name, None) for name in ("num_workers", "_max_workers"))
        return self._workers or next((count for count in known if isinstance(count, int) and count > 0), UNKNOWN_SLOTS)

    def reconnect(self) -> None:
        """It cannot come back."""
        raise MidioptError("the executor takes no more tasks; all results so far are written, run again with a new one to resume")

    def close(self) -> None:
        """It belongs to the caller."""


class _Dask:
    """A Dask scheduler at an address, or one in this process."""

    def __init__(self, address: str | None, workers: int | None) -> None:
        import dask
        import distributed

        self._distributed = distributed
        self._address = address
        self._workers = workers
        self._cluster: Any = None
        self._client: Any = None
        if address is None:
            # In threads: each of them has a worker process of midiopt, which Ctrl-C does not reach. Without an address for the dashboard
            # Dask takes port 8787, and warns if another cluster has it.
            with dask.config.set({"distributed.worker.profile.enabled": False}):  # which samples the threads every 10 ms
                self._cluster = distributed.LocalCluster(
                    n_workers=1,
                    threads_per_worker=workers or available_cores(),
                    processes=False,
                    dashboard_address="127.0.0.1:0",
                    memory_limit=0,
                )
        try:
            self.reconnect()
        except OSError:
            raise MidioptError(f"no Dask scheduler answers at {address}") from None

    def submit(self, function: Callable[..., Any], *arguments: object) -> Future[Any]:
        """Start a call; it is retried by midiopt and not by Dask."""
        future: Future[Any] = self._executor.submit(function, *arguments)
        return future

    def slots(self) -> int:
        """Threads of all workers, and at most as many as the caller wants; 1 while there is no worker."""
        threads: int = sum(self._client.nthreads().values())
        return max(1, min(threads, self._workers or threads))

    def reconnect(self) -> None:
        """A new client."""
        self._close_client()
        options = {"timeout": CONNECT_TIMEOUT, "set_as_default": False}
        self._client = self._distributed.Client(self._cluster or self._address, **options)
        self._executor = self._client.get_executor(pure=False)

    def close(self) -> None:
        """End the client, and the cluster if it is our own."""
        self._close_client()
        if self._cluster:
            self._cluster.close(timeout=CONNECT_TIMEOUT)

    def _close_client(self) -> None:
        if self._client:
            with contextlib.suppress(Exception):  # the scheduler may be gone
                self._client.close(timeout=1)
            self._client = None
