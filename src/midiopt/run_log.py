"""Structured log of a run: events with JSON fields, written to a file by --log, one JSON object per line.

Events go through a logger of the standard library, from any module and any thread.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import os
import sys
from collections.abc import Iterator

from midiopt.errors import MidioptError

_LOGGER = logging.getLogger("midiopt.run_log")
_LOGGER.setLevel(logging.INFO)
_LOGGER.propagate = False


def event(name: str, **fields: object) -> None:
    """Log an event. ``fields`` must be JSON values, and never contain a password."""
    _LOGGER.info(name, extra={"fields": fields})


def is_enabled() -> bool:
    """Whether events are written anywhere."""
    return bool(_LOGGER.handlers)


class _JsonLines(logging.FileHandler):
    """Appends to a file. The first failed write is added to ``problems``; it does not stop the run."""

    def __init__(self, path: str | os.PathLike[str], problems: list[str]) -> None:
        super().__init__(path, encoding="utf-8")
        self.problems = problems
        self.is_complete = True

    def format(self, record: logging.LogRecord) -> str:
        moment = dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds")
        return json.dumps({"time": moment, "event": record.msg, **record.__dict__["fields"]}, ensure_ascii=False)

    def handleError(self, record: logging.LogRecord) -> None:
        if self.is_complete:
            self.problems.append(f"the log {self.baseFilename} is incomplete: {sys.exc_info()[1]}")
        self.is_complete = False


@contextlib.contextmanager
def log_to(path: str | os.PathLike[str] | None, problems: list[str]) -> Iterator[None]:
    """While the with block runs, append events to a file; without a path do nothing.

    Raises MidioptError when the file cannot be opened; a failed write is added to ``problems``.
    """
    if path is None:
        yield
        return
    try:
        handler = _JsonLines(path, problems)
    except OSError as problem:
        raise MidioptError(f"cannot write the log {os.fspath(path)}: {problem.strerror}") from problem
    _LOGGER.addHandler(handler)
    try:
        yield
    finally:
        _LOGGER.removeHandler(handler)
        with contextlib.suppress(OSError):  # a failed write repeats at close
            handler.close()
