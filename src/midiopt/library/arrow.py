"""A table of a database as an Arrow table: for pandas, polars, DuckDB and whatever else reads Arrow."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from midiopt.errors import MissingExtra
from midiopt.kinds import BOOL, ENUM, HASH8, HASH16, SET, SHARES, TEXTS, TIME, Kind
from midiopt.library.snapshot import open_snapshot
from midiopt.schema import Column
from midiopt.sinks.name_tables import RELATIONS

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_PER_CHUNK = 10_000
TABLES = {name: columns for name, (_, _, columns) in RELATIONS.items()}


def arrow_table(
    db: str | os.PathLike[str], table: str = "library", *, columns: Sequence[str] | None = None, where: str | None = None
) -> pa.Table:
    """The view ``library``, or another view or table, with the types of its columns, from either database.

    ``columns`` names those that are wanted, ``where`` is a condition in SQL.
    ``arrow_table("music.db").to_pandas(types_mapper=pandas.ArrowDtype)`` and ``polars.from_arrow(arrow_table("music.db"))`` make data
    frames: booleans are booleans, times are times in UTC, lists are lists.

    Raises SinkError if the database cannot be read, ValueError for an unknown table or column, and MissingExtra without pyarrow.
    """
    try:
        import pyarrow as pa
    except ImportError as error:
        raise MissingExtra("Arrow", "arrow") from error
    if table not in TABLES:
        raise ValueError(f"there is no table {table!r}; there are {', '.join(TABLES)}")
    known = {column.name: column for column in TABLES[table]}
    wanted = list(known if columns is None else columns)
    if unknown := [name for name in wanted if name not in known]:
        raise ValueError(f"{table} has no column {unknown[0]!r}")
    makers = [maker(pa, known[name], in_view=table == "library") for name in wanted]
    query = f"SELECT {', '.join(wanted)} FROM {table}" + (f" WHERE {where}" if where else "")
    with open_snapshot(db) as library:
        if library.dialect.database == "postgres":
            query = query.replace("%", "%%")  # psycopg's placeholder
        chunks = [[make(values) for make, values in zip(makers, part, strict=True)] for part in _parts(library.rows(query))]
    chunks = chunks or [[make(()) for make in makers]]
    return pa.table({name: pa.chunked_array([chunk[i] for chunk in chunks]) for i, name in enumerate(wanted)})


def _parts(rows: Iterator[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    """The columns of so many rows at a time."""
    while part := list(islice(rows, ROWS_PER_CHUNK)):
        yield list(zip(*part, strict=True))


def maker(pa: Any, column: Column, in_view: bool) -> Callable[[Sequence[Any]], Any]:
    """What makes an array of the values of a column as either database has them."""
    kind = column.kind
    if kind is ENUM:
        names = pa.array(column.values, pa.string())
        numbers = {name: i for i, name in enumerate(column.values)}
        return lambda values: pa.DictionaryArray.from_arrays(pa.array(map(numbers.get, values), pa.int8()), names)
    if in_view and kind in (HASH8, HASH16):
        return lambda values: pa.array(values, pa.string())
    if kind is TIME:
        return lambda values: _times(pa, values)
    arrow_type = _type(pa, kind)
    if kind is BOOL:
        return lambda values: pa.array([None if value is None else bool(value) for value in values], arrow_type)
    if kind.is_list:
        return lambda values: pa.array([json.loads(value) if isinstance(value, str) else value for value in values], arrow_type)
    return lambda values: pa.array(values, arrow_type)


def _times(pa: Any, values: Sequence[Any]) -> Any:
    """Times are text in SQLite."""
    if any(isinstance(value, str) for value in values):
        return pa.array(values, pa.string()).cast(_type(pa, TIME))
    return pa.array(values, _type(pa, TIME))


def _type(pa: Any, kind: Kind) -> Any:
    """The Arrow type that the kind names."""
    lists = {TEXTS: pa.list_(pa.string()), SET: pa.list_(pa.int16()), SHARES: pa.list_(pa.float32(), 12)}
    others = {HASH16: pa.binary(16), HASH8: pa.binary(8), TIME: pa.timestamp("us", tz="UTC")}
    return {**lists, **others}.get(kind) or pa.type_for_alias(kind.arrow)
