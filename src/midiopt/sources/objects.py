"""Objects in S3, Google Cloud Storage and Azure, and files on web servers, through obstore.

Credentials come from the environment, as the tools of each service read it (AWS_ACCESS_KEY_ID, GOOGLE_APPLICATION_CREDENTIALS,
AZURE_STORAGE_ACCOUNT_NAME ...), or for a web server from the URL itself. Messages of obstore may quote a whole URL: errors that leave this
module have texts of their own.
"""

from __future__ import annotations

import base64
import datetime as dt
import errno
import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from functools import lru_cache
from queue import Empty, Full, Queue
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import unquote, unquote_to_bytes

import xxhash

from midiopt.errors import MissingExtra, TooLarge, over_limit
from midiopt.sources.file_state import SECOND, FileState
from midiopt.sources.urls import WEB

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

MAX_REQUESTS = 32  # in flight per process; 1,600 a second over loopback with 16 and with 64
MAX_AHEAD = 64  # objects that were asked for and not analysed
LISTED_TOGETHER = 1000  # objects, as many as S3 lists in one answer
MAX_LISTED_AHEAD = 4  # answers
SIGN_OF_LIFE = 0.5  # seconds
RETRIES = {
    "max_retries": 8,
    "retry_timeout": dt.timedelta(seconds=120),
    "backoff": {"init_backoff": dt.timedelta(milliseconds=100), "max_backoff": dt.timedelta(seconds=15), "base": 2},
}
TIMEOUT = dt.timedelta(seconds=60)  # of one attempt
_stores: dict[bytes, Any] = {}


class NoRanges(OSError):
    """A server that sends only whole objects."""


def need_obstore() -> Any:
    """The module. Raises MissingExtra without it."""
    try:
        import obstore
    except ImportError as error:
        raise MissingExtra("a source in an object store or on a web server", "cloud") from error
    return obstore


def state_from(meta: Any) -> FileState:
    """Size and time of an object. The nanoseconds of the time are a digest of the etag, or of the time where there is none."""
    seconds = int(meta["last_modified"].timestamp())
    tag: str = (meta["e_tag"] or str(seconds)).removeprefix("W/").strip('"')
    return FileState(meta["size"], seconds * SECOND + xxhash.xxh3_64_intdigest(tag.encode()) % SECOND)


def head(url: bytes) -> FileState:
    """The state of an object. Raises OSError."""
    return state_from(_asked(lambda obstore, store, key: obstore.head(store, key), url))


def read_range(url: bytes, start: int, end: int) -> tuple[Buffer, FileState]:
    """Bytes of an object, and its state. Raises OSError."""

    def get(obstore: Any, store: Any, key: str) -> tuple[Buffer, FileState]:
        found = obstore.get(store, key, options={"range": (start, end)})
        return found.bytes(), state_from(found.meta)

    data, state = _asked(get, url)
    return data, state


def download(url: bytes, file: IO[bytes]) -> FileState:
    """Write a whole object into a file. Raises OSError."""

    def get(obstore: Any, store: Any, key: str) -> FileState:
        found = obstore.get(store, key)
        for chunk in found.stream():
            file.write(chunk)
        file.flush()
        return state_from(found.meta)

    state: FileState = _asked(get, url)
    return state


def read_object(url: bytes, max_bytes: int) -> tuple[Buffer | Exception, FileState]:
    """The content or the reason why there is none, TooLarge or OSError, and the state."""

    def get(obstore: Any, store: Any, key: str) -> tuple[Buffer | Exception, FileState]:
        found = obstore.get(store, key)
        state = state_from(found.meta)
        if state.size > max_bytes:
            return TooLarge(over_limit(state.size, max_bytes)), state
        return memoryview(found.bytes()), state

    try:
        data, state = _asked(get, url)
    except (OSError, MissingExtra) as problem:
        return problem, FileState(0, 0)
    return data, state


def heads(urls: list[bytes]) -> list[tuple[int, int]]:
    """Size and time of objects, many at once; -1 and the number of the error where there is none."""

    def one(url: bytes) -> tuple[int, int]:
        try:
            return head(url)
        except OSError as problem:
            return -1, problem.errno or errno.EIO

    return list(_requests().map(one, urls))


class ListedObjects:
    """The objects below a URL, as pages of URL and state, in the order of their names. A thread asks for the next ones.

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
        def each(obstore: Any, store: Any, key: str) -> None:
            base = self._url[: len(self._url) - len(key.encode())]
            for chunk in obstore.list(store, prefix=key.rstrip("/") or None, chunk_size=LISTED_TOGETHER):
                self._put([(base + meta["path"].encode(), state_from(meta)) for meta in chunk])
                if self._is_closed.is_set():
                    return

        try:
            _asked(each, self._url)
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


@lru_cache(1)
def _requests() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MAX_REQUESTS, "midiopt-request")


def submit(function: Callable[..., Any], *arguments: object) -> Future[Any]:
    """Start a request."""
    return _requests().submit(function, *arguments)


def _asked(ask: Callable[[Any, Any, str], Any], url: bytes) -> Any:
    """What a request of obstore returns. Raises OSError with a text that has nothing of the URL."""
    obstore = need_obstore()
    try:
        return ask(obstore, *_located(url))
    except FileNotFoundError:
        raise OSError(errno.ENOENT, "there is no such object") from None
    except (obstore.exceptions.BaseError, OSError, ValueError) as problem:
        if isinstance(problem, OSError) and problem.errno:  # of the disk here
            raise
        if "non-partial response" in str(problem):
            raise NoRanges(errno.ENOTSUP, "the server sends only whole objects") from None
        raise OSError(*_reason(problem)) from None


def _reason(problem: Exception) -> tuple[int, str]:
    name, text = type(problem).__name__, str(problem)
    status = re.search(r"status code: (\d{3}(?: [A-Za-z]+)*)", text)
    if "Permission" in name or "Unauthenticated" in name or (status and status[1].startswith(("401", "403"))):
        return errno.EACCES, "the server denies access: are there credentials in the environment?"
    if status:
        return errno.EIO, f"the server answers {status[1]}"
    if "error sending request" in text or "error trying to connect" in text:
        return errno.EHOSTUNREACH, "the server cannot be reached"
    return errno.EIO, f"the request fails ({name})"


def _located(url: bytes) -> tuple[Any, str]:
    """The store of a URL, and the key in it."""
    scheme, _, rest = url.partition(b"://")
    if not url.startswith(WEB):
        host, _, key = rest.partition(b"/")
        host = host.rpartition(b"@")[2]
        return _store(scheme + b"://" + host), key.decode("utf-8", "surrogateescape")
    place, question, query = rest.partition(b"#")[0].partition(b"?")
    host, _, key = place.partition(b"/")
    if question:  # of a signed URL, which is a store by itself
        return _new_store(scheme + b"://" + place + question + query), ""
    return _store(scheme + b"://" + host), unquote(key.decode("utf-8", "replace"))


def _store(base: bytes) -> Any:
    if base not in _stores:
        _stores[base] = _new_store(base)
    return _stores[base]


def _new_store(base: bytes) -> Any:
    import obstore.store

    options: dict[str, Any] = {"timeout": TIMEOUT, "allow_http": True}
    scheme, _, rest = base.partition(b"://")
    user, at, place = rest.rpartition(b"@")
    if at and b"/" not in user:  # a web server's
        options["default_headers"] = {"Authorization": "Basic " + base64.b64encode(unquote_to_bytes(user)).decode()}
        base = scheme + b"://" + place
    return obstore.store.from_url(base.decode("utf-8", "replace"), client_options=options, retry_config=RETRIES)
