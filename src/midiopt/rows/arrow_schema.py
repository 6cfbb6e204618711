"""Arrow types and fields of columns, and the schema of rows that have a file and its facts together.

pyarrow takes 60 ms to import, so functions get the module as an argument from whoever has imported it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from midiopt.kinds import HASH8, HASH16, SET, SHARES, SKETCH, TEXTS, TIME
from midiopt.schema import ANALYSES, FILES, PRODUCT, SCHEMA_VERSION, Column

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

_OF_FILES = {column.name for column in FILES}
FACTS = tuple(column for column in ANALYSES if column.name not in _OF_FILES)
MISSING_SINCE = next(column for column in FILES.added if column.name == "missing_since")
ROW_COLUMNS = (*FILES, *FACTS, MISSING_SINCE)
"""A file with the facts of its content, which are null unless it was analysed: the rows of Parquet parts and of ``analyze_batch``."""

VERSION_KEY = f"{PRODUCT}.schema_version".encode()  # in the metadata of a schema


def arrow_type(pa: Any, column: Column, hexadecimal: bool = True) -> Any:
    """The Arrow type of a column; hashes are text as in the view `library`, or bytes as in the tables.

    Items of lists are called `element`, as Parquet calls them: a table that was read then has the type that was written.
    """
    kind = column.kind
    if kind in (HASH8, HASH16):
        return pa.string() if hexadecimal else pa.binary(kind.items)
    items = {TEXTS: pa.string(), SET: pa.int16(), SKETCH: pa.int32()}.get(kind)
    if items is not None:
        return pa.list_(pa.field("element", items))
    if kind is SHARES:
        return pa.list_(pa.field("element", pa.float32()), kind.items)
    if kind is TIME:
        return pa.timestamp("us", tz="UTC")
    return pa.type_for_alias(kind.arrow) if not column.values else pa.dictionary(pa.int8(), pa.string())


def arrow_field(pa: Any, column: Column, hexadecimal: bool = True) -> Any:
    """The field of a column, with its meaning and, if it has one, its unit as metadata."""
    metadata = {"meaning": column.meaning} | ({"unit": column.unit} if column.unit else {})
    return pa.field(column.name, arrow_type(pa, column, hexadecimal), metadata=metadata)


def arrow_schema(pa: Any, columns: Iterable[Column] = ROW_COLUMNS, dictionaries: bool = True) -> pa.Schema:
    """The schema of rows with these columns; without dictionaries, which Spark and datasets do not read, enumerations are text."""
    fields = [arrow_field(pa, column) for column in columns]
    if not dictionaries:
        fields = [field.with_type(pa.string()) if pa.types.is_dictionary(field.type) else field for field in fields]
    return pa.schema(fields, {VERSION_KEY: str(SCHEMA_VERSION).encode()})
