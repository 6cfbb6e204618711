"""The base of Analysis, which decodes the row of a file when a fact is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from midiopt.rows.decode import row_to_values
from midiopt.rows.row_decoder import set_fields
from midiopt.schema import ANALYSES


class EncodedFacts:
    """The row of an analysis until a fact is asked for.

    Decoding takes 5 us with the lock of the interpreter, for which other threads wait: two threads had 0.91 and 0.96 of the speed of two
    processes, and have 0.97 to 1.00.
    """

    __slots__ = ("_row",)
    _fields: ClassVar[tuple[str, ...]]
    _row: tuple[bytearray, bytearray, str, str | None, str | None] | None

    if not TYPE_CHECKING:  # type checkers would let any name pass

        def __getattr__(self, name: str) -> Any:
            if name not in self._fields:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
            row = self._row
            if row is not None:  # else another thread has decoded it meanwhile
                set_fields(self, self._fields, [*row_to_values(ANALYSES, row[0], row[1]), *row[2:]])
                set_fields(self, EncodedFacts.__slots__, [None])
            return object.__getattribute__(self, name)
