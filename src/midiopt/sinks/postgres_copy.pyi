from typing_extensions import disjoint_base

from midiopt.rows.batch import Rows
from midiopt.rows.layout import Field

@disjoint_base
class CopyEncoder:
    def __init__(self, fields: list[Field]) -> None: ...
    def encode(self, rows: Rows, heap: bytes, numbers: memoryview | None = None) -> bytearray: ...
