"""The annotations of the public names."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, get_type_hints

import midiopt


def annotated() -> Iterator[tuple[str, Any]]:
    """Each public name, and the methods and properties of each public class."""
    for name in midiopt.__all__:
        public = getattr(midiopt, name)
        yield name, public
        if inspect.isclass(public):
            for member, value in vars(public).items():
                function = value.fget if isinstance(value, property) else value
                if not member.startswith("_") and inspect.isfunction(function):
                    yield f"{name}.{member}", function


def unreadable() -> list[str]:
    """Those whose types typing.get_type_hints cannot read."""
    found = []
    for name, public in annotated():
        try:
            get_type_hints(public)
        except NameError as problem:
            found.append(f"{name}: {problem}")
    return found
