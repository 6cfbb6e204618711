"""Files on servers that obstore does not reach, through fsspec. objects.py says when.

A connection belongs to the thread that opened it, since those of fsspec serve one thread. Users and passwords come from the URL, or from
the environment and the configuration of fsspec (FSSPEC_FTP_USERNAME ...). Messages of servers may quote a URL: errors that leave this
module have texts of their own.
"""

from __future__ import annotations

import datetime as dt
import errno
import socket
import threading
import time
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import IO, TYPE_CHECKING, Any

from midiopt.errors import MissingExtra, TooLarge, over_limit
from midiopt.sources.file_state import FileState
from midiopt.sources.urls import FILE_SYSTEMS

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

ATTEMPTS = 4
BACKOFF = 0.2  # seconds before the second attempt; each further one waits four times as long
TIMES = ("mtime", "modify", "last_modified", "modificationTime", "last_write_time")  # names of the same in fsspec's file systems
TAGS = ("ETag", "etag", "blob_id", "sha")
_open = threading.local()


def need() -> Any:
    """The module. Raises MissingExtra without it."""
    try:
        import fsspec
    except ImportError as error:
        raise MissingExtra("a source at " + ", ".join(scheme.decode() for scheme in FILE_SYSTEMS), "cloud") from error
    return fsspec


def head(url: bytes) -> FileState:
    """The state of a file. Raises OSError."""

    def look(system: Any, path: str) -> FileState:
        system.invalidate_cache()
        return _state_from(system.info(path))

    state: FileState = _asked(look, url)
    return state


def read_range(url: bytes, start: int, end: int) -> tuple[Buffer, FileState]:
    """Bytes of a file, and its state. Raises OSError."""
    data, state = _asked(lambda system, path: (system.cat_file(path, start, end), _state_from(system.info(path))), url)
    return data, state


def download(url: bytes, file: IO[bytes]) -> FileState:
    """Write a whole file into one on disk. Raises OSError."""

    def get(system: Any, path: str) -> FileState:
        file.seek(0)
        file.truncate()
        system.get_file(path, file)
        file.flush()
        return _state_from(system.info(path))

    state: FileState = _asked(get, url)
    return state


def read_object(url: bytes, max_bytes: int) -> tuple[Buffer | Exception, FileState]:
    """The content, or TooLarge, and the state. Raises OSError."""

    def get(system: Any, path: str) -> tuple[Buffer | Exception, FileState]:
        state = _state_from(system.info(path))
        if state.size > max_bytes:
            return TooLarge(over_limit(state.size, max_bytes)), state
        return memoryview(system.cat_file(path)), state

    data, state = _asked(get, url)
    return data, state


def list_objects(url: bytes) -> Iterator[list[tuple[bytes, FileState]]]:
    """The files below a folder, a page for each folder, in the order of their names. Raises OSError."""
    top = _asked(lambda system, path: path, url)
    folders = [top]
    while folders:
        folder = folders.pop()

        def look(system: Any, _: str, folder: str = folder) -> list[dict[str, Any]]:
            system.invalidate_cache()
            return sorted(system.ls(folder, detail=True), key=itemgetter("name"))

        infos = _asked(look, url)
        folders += [info["name"] for info in reversed(infos) if info["type"] == "directory" and info["name"] != folder]
        yield [(_url_of(url, top, info["name"]), _state_from(info)) for info in infos if info["type"] == "file"]


def _url_of(url: bytes, top: str, name: str) -> bytes:
    """The URL of a file below ``url``, whose path is ``top``."""
    return url + name[len(top.rstrip("/")) :].lstrip("/").encode("utf-8", "surrogateescape")


def _state_from(info: dict[str, Any]) -> FileState:
    """The state of a file, from whatever its file system tells."""
    when = next((info[name] for name in TIMES if info.get(name) is not None), 0)
    if isinstance(when, str):  # of FTP: 20261129110050
        when = dt.datetime.strptime(when[:14], "%Y%m%d%H%M%S").replace(tzinfo=dt.UTC)
    seconds = int(when.timestamp() if isinstance(when, dt.datetime) else when)
    return FileState.of_object(info["size"] or 0, seconds, str(next((info[name] for name in TAGS if info.get(name)), seconds)))


def _asked(ask: Callable[[Any, str], Any], url: bytes) -> Any:
    """What a request returns. It is repeated over a new connection. Raises OSError with a text that has nothing of the URL."""
    fsspec = need()
    text = url.decode("utf-8", "surrogateescape")
    scheme = text.partition("://")[0]
    for attempt in range(ATTEMPTS):
        try:
            kind = fsspec.get_filesystem_class(scheme)
            return ask(_connection(kind, kind._get_kwargs_from_urls(text)), kind._strip_protocol(text))
        except ImportError as problem:  # its text names the package
            raise OSError(errno.ENOTSUP, f"fsspec: {problem}") from None
        except Exception as problem:  # each file system has its own
            if isinstance(problem, FileNotFoundError) or getattr(problem, "errno", 0) == errno.ENOENT:  # SMB has an OSError of its own
                raise OSError(errno.ENOENT, "there is no such object") from None
            if _is_denied(problem):
                raise OSError(errno.EACCES, "the server denies access: are there credentials in the URL or the environment?") from None
            if attempt == ATTEMPTS - 1:
                raise OSError(*_reason(problem)) from None
            connections().clear()
            time.sleep(BACKOFF * 4**attempt)
    raise AssertionError


def _reason(problem: Exception) -> tuple[int, str]:
    if isinstance(problem, (ConnectionError, TimeoutError, socket.gaierror)):
        return errno.EHOSTUNREACH, "the server cannot be reached"
    return errno.EIO, f"the request fails ({type(problem).__name__})"


def _is_denied(problem: Exception) -> bool:
    text = str(problem)
    is_smb = "STATUS_LOGON_FAILURE" in text or "STATUS_ACCESS_DENIED" in text
    return isinstance(problem, PermissionError) or is_smb or text.startswith(("530 ", "401", "403"))  # 530: FTP, not logged in


def connections() -> dict[Any, Any]:
    """Those of this thread."""
    if not hasattr(_open, "systems"):
        _open.systems = {}
    systems: dict[Any, Any] = _open.systems
    return systems


def _connection(kind: Any, options: dict[str, Any]) -> Any:
    key = (kind, *sorted(options.items()))
    systems = connections()
    if key not in systems:
        systems[key] = kind(**options)
    return systems[key]
