"""What ``--json`` and ``--jsonl`` print: one shape for all commands, described in docs/json.md."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType

from midiopt.core import build
from midiopt.wording import is_printable

TYPE_CHECKING = False  # see midiopt/__init__.py
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Self


def json_text(value: object) -> str:
    """A value as one line of JSON, in which characters that are not printable are escaped. Times are ISO 8601, bytes hexadecimal."""
    import json

    text = json.dumps(value, ensure_ascii=False, default=_plain)
    return text if text.isprintable() else "".join(c if is_printable(c) else json.dumps(c)[1:-1] for c in text)


def print_json(value: object) -> None:
    """Print a value as one line of JSON."""
    print(json_text(value))


def described(command: str, database: str | None = None) -> dict[str, object]:
    """What the object of every command begins with."""
    begin = {"command": command, "version": build.version, "database": database}
    return {name: value for name, value in begin.items() if value is not None}


class JsonItems:
    """Prints the items of a command as they are found, so that a million of them take no memory.

    With ``--json`` they are in the list ``items`` of one object, whose totals follow; with ``--jsonl`` each is a line, and nothing else is
    printed. Without either, ``wanted`` is false and nothing is printed.
    """

    def __init__(self, options: Namespace, command: str, database: str | None = None) -> None:
        self.totals: dict[str, object] = {}
        """The members of the object that follow the items."""
        self.wanted: bool = options.json or options.jsonl
        self._is_object: bool = options.json
        self._head = described(command, database)
        self._count = 0

    def __enter__(self) -> Self:
        if self._is_object:
            print(json_text(self._head)[:-1] + ', "items": [', end="")
        return self

    def add(self, item: Mapping[str, object]) -> None:
        """Print an item."""
        if self._is_object:
            print(("," if self._count else "") + "\n" + json_text(item), end="")
        else:
            print_json(item)
        self._count += 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        """End the object; after an error it stays incomplete, so that no program takes it for the whole."""
        if self._is_object and kind is None:
            end = "\n" if self._count else ""
            print(end + "]" + "".join(f", {json_text(name)}: {json_text(value)}" for name, value in self.totals.items()) + "}")


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex()
    import datetime as dt

    assert isinstance(value, dt.datetime)
    return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
