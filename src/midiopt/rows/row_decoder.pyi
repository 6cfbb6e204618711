from typing import TYPE_CHECKING, Any

from typing_extensions import disjoint_base

from midiopt.rows.layout import Field

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

def set_fields(instance: object, names: tuple[str, ...], values: list[Any]) -> None: ...

@disjoint_base
class RowDecoder:
    def __init__(self, fields: list[Field]) -> None: ...
    def values(self, row: Buffer, heap: Buffer) -> list[object]: ...
