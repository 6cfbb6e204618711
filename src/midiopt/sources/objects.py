"""Objects at URLs: which module reads them, and many requests at once.

stores.py reads S3, Google, Azure and web servers, file_systems.py FTP and others. Texts of their errors have nothing of a URL.
"""

from __future__ import annotations

import errno
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from functools import lru_cache
from queue import Empty, Full, Queue
from typing import IO, TYPE_CHECKING, Any, Protocol

from midiopt.errors import MissingExtra
from midiopt.sources.file_state import FileState
from midiopt.sources.urls import FILE_SYSTEMS

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

MAX_REQUESTS = 32  # in flight per process; 1,600 a second over loopback with 16 and with 64
MAX_CONNECTIONS = 4  # per process, each of one thread: FTP servers refuse more than a few
MAX_AHEAD = 64  # objects that were asked for and not analysed
MAX_LISTED_AHEAD = 4  # answers
SIGN_OF_LIFE = 0.5  # seconds


class Backend(Protocol):
    """What stores.py and file_systems.py have. All raise OSError, or MissingExtra without their libraries."""

    def need(self) -> Any:
        """The library."""

    def head(self, url: bytes) -> FileState:
        """The state of an object."""

    def read_range(self, url: bytes, start: int, end: int) -> tuple[Buffer, FileState]:
        """Bytes of an object, and its state."""

    def download(self, url: bytes, file: IO[bytes]) -> FileState:
        """Write a whole object into a file."""

    def read_object(self, url: bytes, max_bytes: int) -> tuple[Buffer | Exception, FileState]:
        """The content, or TooLarge, and the state."""

    def list_objects(self, url: bytes) -> Iterator[list[tuple[bytes, FileState]]]:
        """The objects below a URL that ends with a slash, as pages of URL and state."""


def backend_of(url: bytes) -> Backend:
    """The module that reads a URL."""
    if url.startswith(FILE_SYSTEMS):
        from midiopt.sources import file_systems

        return file_systems
    from midiopt.sources import stores

    return stores


def read_object(url: bytes, max_bytes: int) -> tuple[Buffer | Exception, FileState]:
    """The content or the reason why there is none, TooLarge or OSError, and the state."""
    try:
        return backend_of(url).read_object(url, max_bytes)
    except (OSError, MissingExtra) as problem:
        return problem, FileState(0, 0)


def heads(urls: list[bytes]) -> list[tuple[int, int]]:
    """Size and time of objects, many at once; -1 and the number of the error where there is none."""

    def one(url: bytes) -> tuple[int, int]:
        try:
            return backend_of(url).head(url)
        except OSError as problem:
            return -1, problem.errno or errno.EIO

    return [found.result() for found in [submit(one, url) for url in urls]]


class ListedObjects:
    """The objects below a URL, as pages of URL and state, as the server lists them. A thread asks for the next ones.

    An empty page shows that the server has not answered yet. Raises OSError from the iteration.
    """

    def __init__(self, url: bytes) -> None:
        self._url = url.rstrip(b"/") + b"/"
        self._pages: Queue[list[tuple[bytes, FileState]] | OSError | None] = Queue(MAX_LISTED_AHEAD)
        self._is_closed = threading.Event()

    def __iter__(self) -> Iterator[list[tuple[bytes, FileState]]]:
        threading.Thread(target=self._list, daemon=True).start()
        try:
            while True:
                try:
                    page = self._pages.get(timeout=SIGN_OF_LIFE / 10)
                except Empty:
                    yield []
                    continue
                if page is None:
                    return
                if isinstance(page, OSError):
                    raise page
                yield page
        finally:
            self._is_closed.set()

    def _list(self) -> None:
        try:
            for page in backend_of(self._url).list_objects(self._url):
                self._put(page)
                if self._is_closed.is_set():
                    return
            self._put(None)
        except OSError as problem:
            self._put(problem)
        except Exception as problem:  # else the run would wait for ever
            self._put(OSError(errno.EIO, type(problem).__name__))

    def _put(self, page: list[tuple[bytes, FileState]] | OSError | None) -> None:
        while not self._is_closed.is_set():
            try:
                return self._pages.put(page, timeout=SIGN_OF_LIFE)
            except Full:
                continue


class ObjectReader:
    """Reads objects of a worker's tasks, many at once, in the order in which they were announced."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._expected: deque[bytes] = deque()
        self._ahead: dict[bytes, Future[tuple[Buffer | Exception, FileState]]] = {}

    def expect(self, urls: Iterable[bytes]) -> None:
        """Announce objects that will be read after those announced before."""
        self._expected.extend(urls)
        self._fill()

    def read(self, url: bytes, show_life: Callable[[], None]) -> tuple[Buffer | Exception, FileState]:
        """What ``read_object`` returns. While it waits, ``show_life`` is called: requests have limits of their own."""
        found = self._ahead.pop(url, None) or submit(read_object, url, self._max_bytes)
        self._fill()
        data, state = wait(found, show_life)
        return data, state

    def _fill(self) -> None:
        while self._expected and len(self._ahead) < MAX_AHEAD:
            url = self._expected.popleft()
            if url not in self._ahead:
                self._ahead[url] = submit(read_object, url, self._max_bytes)


def wait(future: Future[Any], show_life: Callable[[], None]) -> Any:
    """The result of a request."""
    while True:
        try:
            return future.result(SIGN_OF_LIFE)
        except NotYet:
            show_life()


@lru_cache
def _requests(are_file_systems: bool) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MAX_CONNECTIONS if are_file_systems else MAX_REQUESTS, "midiopt-request")


def submit(function: Callable[..., Any], url: bytes, *arguments: object) -> Future[Any]:
    """Start a request."""
    return _requests(url.startswith(FILE_SYSTEMS)).submit(function, url, *arguments)
