"""What happens in a run, told to whoever listens; --log FILE writes it as JSON, a line an event.

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


def event(name: str, **facts: object) -> None:
    """Tell that something happened. ``facts`` are what JSON takes, and never a password."""
    _LOGGER.info(name, extra={"facts": facts})


def anyone_listens() -> bool:
    return bool(_LOGGER.handlers)


class _Lines(logging.FileHandler):
    """Appends to a file. That it cannot be written is added once to ``problems``, and does not stop the run."""

    def __init__(self, path: str | os.PathLike[str], problems: list[str]) -> None:
        super().__init__(path, encoding="utf-8")
        self.problems = problems
        self.is_whole = True

    def format(self, record: logging.LogRecord) -> str:
        moment = dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds")
        return json.dumps({"time": moment, "event": record.msg, **record.__dict__["facts"]}, ensure_ascii=False)

    def handleError(self, record: logging.LogRecord) -> None:
        if self.is_whole:
            self.problems.append(f"the log {self.baseFilename} is not whole: {sys.exc_info()[1]}")
        self.is_whole = False


@contextlib.contextmanager
def logged(path: str | os.PathLike[str] | None, problems: list[str]) -> Iterator[None]:
    """While the with block runs, append events to a file; without a path do nothing.

    Raises MidioptError when the file cannot be opened; that it could not be written is added to ``problems``.
    """
    if path is None:
        yield
        return
    try:
        lines = _Lines(path, problems)
    except OSError as problem:
        raise MidioptError(f"cannot write the log {os.fspath(path)}: {problem.strerror}") from problem
    _LOGGER.addHandler(lines)
    try:
        yield
    finally:
        _LOGGER.removeHandler(lines)
        with contextlib.suppress(OSError):  # of what could not be written before
            lines.close()
