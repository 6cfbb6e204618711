from typing_extensions import disjoint_base

from midiopt.rows.batch import Rows
from midiopt.rows.layout import Field

@disjoint_base
class Inspector:
    def __init__(self, fields: list[Field]) -> None: ...
    def find_invalid(self, rows: Rows, heap: bytes) -> list[tuple[int, int]]: ...
