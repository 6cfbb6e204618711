"""Objects in S3, Google Cloud Storage and Azure, and files on web servers, through obstore. objects.py says when.

Credentials come from the environment, as the tools of each service read it (AWS_ACCESS_KEY_ID, GOOGLE_APPLICATION_CREDENTIALS,
AZURE_STORAGE_ACCOUNT_NAME ...), or for a web server from the URL itself. Messages of obstore may quote a whole URL: errors that leave this
module have texts of their own.
"""

from __future__ import annotations

import base64
import datetime as dt
import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import unquote, unquote_to_bytes

from midiopt.errors import MissingExtra, TooLarge, over_limit
from midiopt.sources.file_state import FileState
from midiopt.sources.urls import WEB
from midiopt.wording import counted

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

LISTED_TOGETHER = 1000  # objects, as many as S3 lists in one answer
RETRIES = {
    "max_retries": 8,
    "retry_timeout": dt.timedelta(seconds=120),
    "backoff": {"init_backoff": dt.timedelta(milliseconds=100), "max_backoff": dt.timedelta(seconds=15), "base": 2},
}
NO_RANGES = ("non-partial response", "RangeNotSupported")  # of S3 and other stores, of web servers
NO_HEAD = re.compile(r"status code: (401|403|405|501)\b")
FAULTS = (
    ("error sending request", errno.EHOSTUNREACH, "the server cannot be reached"),
    ("error trying to connect", errno.EHOSTUNREACH, "the server cannot be reached"),
    ("Content-Length Header missing", errno.EIO, "the server does not say how long it is"),
    ("error following redirect", errno.EIO, "the server leads from one place to the next, in a circle"),
    ("response body error", errno.EIO, "the answer ends too early"),
)
TIMEOUT = dt.timedelta(seconds=60)  # of one attempt
_stores: dict[bytes, Any] = {}


class NoRanges(OSError):
    """A server that sends only whole objects."""


def need() -> Any:
    """The module. Raises MissingExtra without it."""
    try:
        import obstore
    except ImportError as error:
        raise MissingExtra("a source in an object store or on a web server", "cloud") from error
    return obstore


def _state_from(meta: Any) -> FileState:
    """The state of an object: its etag, or its time where there is none, tells versions apart."""
    seconds = int(meta["last_modified"].timestamp())
    return FileState.of_object(meta["size"], seconds, (meta["e_tag"] or str(seconds)).removeprefix("W/").strip('"'))


def head(url: bytes) -> FileState:
    """The state of an object. Raises OSError.

    A URL that is signed for reading is denied to HEAD, and obstore takes 405, of a server that knows no HEAD, for an object that is not
    there: then the answer to GET says it, whose content is not read.
    """
    with _request(url) as (obstore, store, key):
        try:
            meta = obstore.head(store, key)
        except (obstore.exceptions.BaseError, FileNotFoundError) as problem:
            if not (url.startswith(WEB) and NO_HEAD.search(str(problem))):
                raise
            meta = obstore.get(store, key).meta
        return _state_from(meta)


def read_range(url: bytes, start: int, end: int) -> tuple[Buffer, FileState]:
    """Bytes of an object, and its state. Raises OSError."""
    with _request(url) as (obstore, store, key):
        found = obstore.get(store, key, options={"range": (start, end)})
        return found.bytes(), _state_from(found.meta)


def download(url: bytes, file: IO[bytes]) -> FileState:
    """Write a whole object into a file. Raises OSError."""
    with _request(url) as (obstore, store, key):
        found = obstore.get(store, key)
        for chunk in found.stream():
            file.write(chunk)
        file.flush()
        return _state_from(found.meta)


def read_object(url: bytes, max_bytes: int) -> tuple[Buffer | Exception, FileState]:
    """The content, or TooLarge, and the state. Raises OSError."""
    with _request(url) as (obstore, store, key):
        found = obstore.get(store, key)
        state = _state_from(found.meta)
        if state.size > max_bytes:
            return TooLarge(over_limit(state.size, max_bytes)), state
        return memoryview(found.bytes()), state


def list_objects(url: bytes) -> Iterator[list[tuple[bytes, FileState]]]:
    """The objects below a URL that ends with a slash, as pages of URL and state. Raises OSError, at the end for folders with a key that
    obstore does not take.
    """
    with _request(url) as (obstore, store, key):
        base = url[: len(url) - len(key.encode())]
        unread: list[str] = []
        for page in _pages(obstore, store, key.rstrip("/"), "", unread):
            yield [(base + meta["path"].encode(), _state_from(meta)) for meta in page]
    if unread:
        folders = counted(len(unread), "folder")
        raise OSError(errno.EINVAL, f"keys with an empty, a dotted or a broken part in {folders}, such as {unread[0]}")


def _pages(obstore: Any, store: Any, folder: str, after: str, unread: list[str]) -> Iterator[list[Any]]:
    """The objects below a folder, those after a key only, in the order of their keys.

    A key such as ``a//b.mid`` ends the listing of all: its page, of a thousand, and those behind it are then listed folder by folder.
    """
    try:
        for page in obstore.list(store, prefix=folder or None, offset=after or None, chunk_size=LISTED_TOGETHER):
            yield page
            after = page[-1]["path"]
        return
    except obstore.exceptions.InvalidPathError:
        pass
    try:
        found = obstore.list_with_delimiter(store, prefix=folder or None)
    except obstore.exceptions.InvalidPathError as problem:
        path = re.search(r'path: ("(?:[^"\\]|\\.)*")', str(problem))
        unread.append(path[1] if path else "one")
        return
    yield [meta for meta in found["objects"] if meta["path"] > after]
    for inner in found["common_prefixes"]:
        yield from _pages(obstore, store, inner, after, unread)


@contextmanager
def _request(url: bytes) -> Iterator[tuple[Any, Any, str]]:
    """The module, the store of a URL and the key in it. Exceptions become OSError with a text that has nothing of the URL."""
    obstore = need()
    try:
        yield obstore, *_located(url)
    except FileNotFoundError:
        raise OSError(errno.ENOENT, "there is no such object") from None
    except (obstore.exceptions.BaseError, OSError, ValueError) as problem:
        if isinstance(problem, OSError) and problem.errno:  # of the disk here
            raise
        if any(text in str(problem) for text in NO_RANGES):
            raise NoRanges(errno.ENOTSUP, "the server sends only whole objects") from None
        raise OSError(*_reason(problem)) from None


def _reason(problem: Exception) -> tuple[int, str]:
    name, text = type(problem).__name__, str(problem)
    status = re.search(r"status code: (\d{3}(?: [A-Za-z]+)*)", text)
    if "Permission" in name or "Unauthenticated" in name or (status and status[1].startswith(("401", "403"))):
        return errno.EACCES, "the server denies access: are there credentials in the environment?"
    if status:
        return errno.EIO, f"the server answers {status[1]}"
    found = ((number, reason) for part, number, reason in FAULTS if part in text)
    return next(found, (errno.EIO, f"the request fails ({name})"))


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
