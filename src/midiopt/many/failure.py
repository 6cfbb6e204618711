"""What stands in the place of a result that there is not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """A file of many that has no result, and why; the others go on."""

    source: str | int
    """The path that was given; of content, its place in what was given, from 0."""
    status: str
    """``rejected`` (not a usable MIDI file), ``unreadable`` or ``crashed``, as in a database."""
    error: str
    """The reason."""
