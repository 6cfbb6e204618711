"""midiopt.analyze_batch: facts of the files in an Arrow batch, for programs that distribute batches themselves."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

from midiopt.errors import MissingExtra, TooLarge, over_limit
from midiopt.limits import MAX_FILE_BYTES
from midiopt.pipeline.heartbeat import Heartbeat
from midiopt.pipeline.items import Item, content_item, failed_item, path_items
from midiopt.pipeline.worker import Worker
from midiopt.rows.arrow_schema import FACTS, arrow_schema
from midiopt.rows.batch import Batch
from midiopt.rows.validate import validate
from midiopt.schema import FILES, UNREADABLE
from midiopt.sources.reader import Reader
from midiopt.sources.table_columns import CONTENTS, PATHS, column_kind, field_of

if TYPE_CHECKING:
    import pyarrow as pa

    Rows = TypeVar("Rows", pa.RecordBatch, pa.Table)

COLUMNS = (*FILES, *FACTS)
NULL = "null, where a path or content should be"
_of_thread = threading.local()  # a worker and what makes Arrow rows: neither is shared between threads


class ArrowStream(Protocol):
    """What gives Arrow to others: data frames of pandas and polars, relations of DuckDB."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...


@overload
def analyze_batch(batch: Rows, column: str | None = None) -> Rows: ...
@overload
def analyze_batch(  # type: ignore[overload-cannot-match]  # where pyarrow is not installed
    batch: ArrowStream, column: str | None = None
) -> pa.Table: ...
def analyze_batch(batch: Any, column: str | None = None) -> Any:
    """The facts of the files in a ``pyarrow.RecordBatch`` or ``Table``: a row for each, in order, as another one of the same type.

    Of a data frame of pandas or polars, or another object that gives Arrow (``__arrow_c_stream__``), they are a ``Table``.

    ``column`` has paths (text), contents (binary), or both (a struct of `bytes` and `path`, as Hugging Face datasets have); without, it is
    the only column of one of these types, or else the one with a usual name. Beside contents, a column of names fills `path`.

    The columns are those of files and their facts (docs/columns.md), with `meaning` and `unit` in the metadata of each. A file that
    cannot be read or used has null facts; `status` and `error` say why. Contents have no `mtime_ns`. The batch is analysed in
    the calling thread, which holds the GIL only between files, so a file that crashes the analysis would crash the process:
    ``analyze_many`` and runs have processes of their own.

    Raises ValueError if no column is found, KeyError if there is none of that name, and MissingExtra without pyarrow.
    """
    try:
        import pyarrow as pa
    except ImportError as error:
        raise MissingExtra("Arrow", "arrow") from error
    if not isinstance(batch, (pa.RecordBatch, pa.Table)):
        wrong = f"analyze_batch() takes a pyarrow.RecordBatch, a Table or a data frame, not {type(batch).__name__}"
        if not hasattr(batch, "__arrow_c_stream__"):
            raise TypeError(wrong)
        try:
            batch = pa.table(batch)
        except pa.ArrowInvalid as problem:  # such as a column alone
            raise TypeError(f"{wrong} ({problem})") from None
    contents, paths = _inputs(pa, batch, column)
    if not hasattr(_of_thread, "worker"):
        from midiopt.rows.arrow_rows import RowTables

        _of_thread.worker, _of_thread.reader = Worker("read", shares_analyses=False), Reader(MAX_FILE_BYTES)
        _of_thread.tables = RowTables(pa)
    items = _path_items(paths, _of_thread.reader) if contents is None else _content_items(contents, paths)
    rows = _of_thread.tables.record_batch(validate(Batch.from_bytes(_of_thread.worker.rows_of(items))))
    columns = dict(zip(rows.schema.names, rows.columns, strict=True))
    columns |= {name: array.dictionary_decode() for name, array in columns.items() if pa.types.is_dictionary(array.type)}
    if contents is not None:
        columns["mtime_ns"] = pa.nulls(len(rows), pa.int64())
    columns["path"] = pa.array(paths, pa.string())
    schema = arrow_schema(pa, COLUMNS, dictionaries=False)
    make = pa.RecordBatch if isinstance(batch, pa.RecordBatch) else pa.Table
    return make.from_arrays([columns[name] for name in schema.names], schema=schema)


def _inputs(pa: Any, batch: Any, column: str | None) -> tuple[list[bytes | None] | None, list[str | None]]:
    """The contents, if there are any, and the paths or names."""
    kinds = {field.name: column_kind(pa, field.type) for field in batch.schema}
    if column is None:
        column = _found(kinds)
    kind = kinds[column]
    values = batch.column(column).to_pylist()
    if kind in ("path", "null"):
        return None, values
    if kind == "struct":
        type_ = batch.schema.field(column).type
        fields = field_of(pa, type_, CONTENTS, "bytes"), field_of(pa, type_, PATHS, "path", "bytes")
        of_bytes, names = ([value and value.get(field) for value in values] for field in fields)
        return of_bytes, names
    if kind != "bytes":
        raise ValueError(f"the column {column!r} has neither text nor binary values, but {batch.schema.field(column).type}")
    name = next((name for name in PATHS if kinds.get(name) == "path"), None)
    return values, batch.column(name).to_pylist() if name else [None] * len(values)


def _found(kinds: dict[str, str]) -> str:
    """The column with the files: contents before paths, a usual name before another one.

    Where all are null, a program that makes Arrow of its values does not know what they would be.
    """
    for kind, names in (("bytes", CONTENTS), ("struct", CONTENTS), ("path", PATHS)):
        there = [name for name, of in kinds.items() if of == kind]
        usual = [name for name in names if name in there]
        if usual or len(there) == 1:
            return (usual or there)[0]
    if usual := [name for name in (*CONTENTS, *PATHS) if kinds.get(name) == "null"]:
        return usual[0]
    raise ValueError(f"which column has the files? Name it: there are {', '.join(kinds) or 'none'}")


def _content_items(contents: list[bytes | None], names: list[str | None]) -> Iterator[Item]:
    heartbeat = Heartbeat()
    for content, name in zip(contents, names, strict=True):
        path = os.fsencode(name or "")
        heartbeat.start_item()
        if content is None:
            yield path, 0, 0, None, UNREADABLE, NULL
        elif len(content) > MAX_FILE_BYTES:
            yield failed_item(path, len(content), 0, TooLarge(over_limit(len(content), MAX_FILE_BYTES)))
        else:
            yield content_item(path, content, MAX_FILE_BYTES)


def _path_items(paths: list[str | None], reader: Reader) -> Iterator[Item]:
    heartbeat = Heartbeat()
    for path in paths:
        if path is None:
            yield b"", 0, 0, None, UNREADABLE, NULL
        else:
            yield from path_items([os.fsencode(path)], reader, MAX_FILE_BYTES, heartbeat)
