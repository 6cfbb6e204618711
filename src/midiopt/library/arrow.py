"""A table of a database as an Arrow table: for pandas, polars, DuckDB and whatever else reads Arrow."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from midiopt.errors import MissingExtra
from midiopt.kinds import BOOL, ENUM, HASH8, HASH16, TIME
from midiopt.library.search_query import Query
from midiopt.library.search_rows import FILES_ONLY
from midiopt.library.search_values import nearest
from midiopt.library.snapshot import Snapshot, open_snapshot
from midiopt.rows.arrow_schema import arrow_type
from midiopt.schema import Column
from midiopt.sinks.name_tables import RELATIONS
from midiopt.sinks.view_sql import stored_value

if TYPE_CHECKING:
    import pyarrow as pa

    ArrowTable: TypeAlias = pa.Table
else:  # typing.get_type_hints asks for one, and must not need pyarrow
    ArrowTable = Any

ROWS_PER_CHUNK = 10_000
TABLES = {name: columns for name, (_, _, columns) in RELATIONS.items()}


def arrow_table(
    db: str | os.PathLike[str], table: str = "library", *, columns: Sequence[str] | None = None, where: str | None = None
) -> ArrowTable:
    """The view ``library``, or another view or table, with the types of its columns, from either database.

    ``columns`` names those that are wanted, ``where`` is a condition in SQL.
    ``arrow_table("music.db").to_pandas(types_mapper=pandas.ArrowDtype)`` and ``polars.from_arrow(arrow_table("music.db"))`` make data
    frames: booleans are booleans, times are times in UTC, lists are lists.

    Raises SinkError if the database cannot be read, ValueError for an unknown table or column, and MissingExtra without pyarrow.
    """
    if table not in TABLES:
        raise ValueError(f"there is no table {table!r}; there are {', '.join(TABLES)}")
    wanted = _wanted(table, columns)
    query = f"SELECT {', '.join(column.name for column in wanted)} FROM {table}" + (f" WHERE {where}" if where else "")
    with open_snapshot(db) as library:
        return _table(library.rows(query), wanted, in_view=table in ("library", "library_tracks"))


def found_table(library: Snapshot, query: Query, columns: Sequence[str] | None = None) -> pa.Table:
    """The columns of the view ``library`` of the files that meet a search. Raises like arrow_table."""
    wanted = _wanted("library", columns)
    values = [(stored_value(column), column.kind in (HASH8, HASH16)) for column in wanted]
    selected = ", ".join(library.dialect.hexadecimal(value) if is_hash else value for value, is_hash in values)
    condition, of_condition = query.condition(library)
    rows = library.rows(f"SELECT {selected} FROM {FILES_ONLY} WHERE {condition}", of_condition)
    return _table(rows, wanted, in_view=True)


def _wanted(table: str, names: Sequence[str] | None) -> list[Column]:
    known = {column.name: column for column in TABLES[table]}
    wanted = list(known if names is None else [names] if isinstance(names, str) else names)
    if not wanted:
        raise ValueError(f"a table needs a column: {table} has {', '.join(known)}")
    if unknown := [name for name in wanted if name not in known]:
        raise ValueError(f"{table} has no column {unknown[0]!r}{nearest(unknown[0], known)}")
    return [known[name] for name in wanted]


def _table(rows: Iterator[tuple[Any, ...]], columns: Sequence[Column], in_view: bool) -> pa.Table:
    try:
        import pyarrow as pa
    except ImportError as error:
        raise MissingExtra("Arrow", "arrow") from error
    makers = [maker(pa, column, in_view) for column in columns]
    chunks = [[make(values) for make, values in zip(makers, part, strict=True)] for part in _parts(rows)]
    chunks = chunks or [[make(()) for make in makers]]
    return pa.table({column.name: pa.chunked_array([chunk[i] for chunk in chunks]) for i, column in enumerate(columns)})


def _parts(rows: Iterator[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    """The columns of so many rows at a time."""
    while part := list(islice(rows, ROWS_PER_CHUNK)):
        yield list(zip(*part, strict=True))


def maker(pa: Any, column: Column, in_view: bool) -> Callable[[Sequence[Any]], Any]:
    """What makes an array of the values of a column as either database has them."""
    kind, type_ = column.kind, arrow_type(pa, column, hexadecimal=in_view)
    if kind is ENUM:
        names = pa.array(column.values, pa.string())
        numbers = {name: i for i, name in enumerate(column.values)}
        return lambda values: pa.DictionaryArray.from_arrays(pa.array(map(numbers.get, values), pa.int8()), names)
    if kind is TIME:
        return lambda values: _times(pa, values, type_)
    if kind is BOOL:
        return lambda values: pa.array([None if value is None else bool(value) for value in values], type_)
    if kind.is_list:
        return lambda values: pa.array([json.loads(value) if isinstance(value, str) else value for value in values], type_)
    return lambda values: pa.array(values, type_)


def _times(pa: Any, values: Sequence[Any], type_: Any) -> Any:
    """Times are text in SQLite."""
    if any(isinstance(value, str) for value in values):
        return pa.array(values, pa.string()).cast(type_)
    return pa.array(values, type_)
