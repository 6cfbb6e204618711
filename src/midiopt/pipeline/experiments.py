"""Switches that exist only to be measured, set by environment variables. docs/performance.md describes them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

from midiopt.errors import MidioptError
from midiopt.pipeline.allocator import ALLOCATORS, preload
from midiopt.sources.readers import READERS

# Environment variable: its values, the default first.
VARIABLES = {
    "MIDIOPT_READER": tuple(READERS),
    "MIDIOPT_ALLOCATOR": tuple(ALLOCATORS),
    "MIDIOPT_WARM_CONNECTIONS": ("1", "0"),
}


@dataclass(frozen=True)
class Experiments:
    """How the workers read files, which malloc they use, and whether PostgreSQL connections stay open between batches."""

    reader: str = "ahead"
    allocator: str = "system"
    warm_connections: bool = True

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read the switches. Raises MidioptError for an invalid value, and for an allocator that is not installed."""
        reader, allocator, warm = (_value(environment, name) for name in VARIABLES)
        preload(allocator)
        return cls(reader, allocator, warm == "1")

    def changed(self) -> dict[str, object]:
        """The switches that are not at their default, for the record of the run."""
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name)) != field.default}


def _value(environment: Mapping[str, str], name: str) -> str:
    values = VARIABLES[name]
    value = environment.get(name) or values[0]
    if value not in values:
        raise MidioptError(f"{name} must be {' or '.join(values)}, not {value!r}")
    return value
