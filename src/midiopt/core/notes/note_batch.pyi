from collections.abc import Sequence
from typing import Any, Self

import numpy.typing as npt
from typing_extensions import disjoint_base

from midiopt.core.notes.note_view import Notes

TYPES: dict[str, str]

@disjoint_base
class NoteBatch:
    """Collects columns, named as in TYPES, of one file after another."""

    def __new__(cls, names: Sequence[str]) -> Self: ...
    def __len__(self) -> int:
        """Number of files."""
    def add(self, notes: Notes) -> None:
        """Take the notes of a file. Raises OverflowError for one of weeks, whose ticks have 64 bits."""
    def take(self) -> tuple[list[int], list[npt.NDArray[Any]]]:
        """The number of notes of each file, and an array per column; the batch is empty afterwards."""
