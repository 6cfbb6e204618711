"""How the statements of the two databases differ."""

from __future__ import annotations

from typing import Literal, NamedTuple

from midiopt.kinds import Kind


class Dialect(NamedTuple):
    """How a database's driver marks values in a statement, and what the database calls its types."""

    placeholder: str
    database: Literal["sqlite", "postgres"]

    def type_of(self, kind: Kind) -> str:
        """The type of a column of this kind."""
        return kind.sqlite if self.database == "sqlite" else kind.postgres

    def hexadecimal(self, value: str) -> str:
        """Bytes as lower-case hexadecimal text."""
        return f"lower(nullif(hex({value}), ''))" if self.database == "sqlite" else f"encode({value}, 'hex')"

    def values(self, count: int) -> str:
        """Placeholders of a row, or of a list after IN."""
        return f"({', '.join([self.placeholder] * count)})"


SQLITE = Dialect("?", "sqlite")
POSTGRES = Dialect("%s", "postgres")
