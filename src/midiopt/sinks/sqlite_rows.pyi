from collections.abc import Iterator

from typing_extensions import disjoint_base

from midiopt.rows.batch import Rows
from midiopt.rows.layout import Field

@disjoint_base
class RowEncoder:
    def __init__(self, fields: list[Field]) -> None: ...
    def tuples(self, rows: Rows, heap: bytes) -> Iterator[tuple[object, ...]]: ...
