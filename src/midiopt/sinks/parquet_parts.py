"""The parts of a Parquet directory: writing one whole, reading it, and replacing some of its rows.

A part is written under a name that no reader looks at, synced, and renamed: there is the whole part or none. A changed row stays in
its part, which is written anew and renamed over the old one. So each path is in one part, whenever a reader looks.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from midiopt.errors import SinkError
from midiopt.kinds import ENUM
from midiopt.rows.arrow_schema import ROW_COLUMNS, VERSION_KEY, arrow_schema
from midiopt.schema import PRODUCT, SCHEMA_VERSION, Column

if TYPE_CHECKING:
    from numpy.typing import NDArray

PART_ROWS = 100_000
TEMPORARY = ".part-*.tmp"
UNADOPTED = ".part-{}.tmp"  # of a task of an executor, until the run takes it over
REPLACES_KEY = f"{PRODUCT}.replaces".encode()  # in the metadata of a part: the names of those that it replaces, as JSON
SCHEMA: pa.Schema = arrow_schema(pa)
# A dictionary only for texts of which many are equal. 100,000 rows of the corpus (files come again): 0.35 s; with a dictionary for every
# column 0.45 s; chord_progression, with one, takes 0.06 s more and 0.6 % of the part less.
REPETITIVE_TEXT = ("time_signature",)


def open_writer(file: IO[bytes] | str, schema: pa.Schema, columns: Iterable[Column]) -> Any:
    """A writer of rows with these columns: the one of parts, and of tables that `midiopt export` writes."""
    repetitive = [column.name for column in columns if column.kind is ENUM or column.name in REPETITIVE_TEXT]
    return pq.ParquetWriter(file, schema, compression="zstd", use_dictionary=repetitive)


@dataclass
class Part:
    """A part of the directory, and between which paths, by the order of their bytes, its rows lie."""

    path: str
    rows: int
    first: str
    last: str
    replaces: tuple[str, ...] = ()

    @classmethod
    def at(cls, path: str) -> Part:
        """The part in a file. Raises SinkError if midiopt has not made it."""
        with errors_of(path):
            metadata = pq.read_metadata(path)
        version = (metadata.metadata or {}).get(VERSION_KEY, b"").decode()
        if not version.isdecimal():
            folder, name = os.path.split(path)
            raise SinkError(f"{folder} already has {name}, not made by {PRODUCT}; choose another directory")
        if int(version) > SCHEMA_VERSION:
            raise SinkError(f"{path} was made by a newer {PRODUCT} (schema {version}, not {SCHEMA_VERSION}); upgrade {PRODUCT}")
        replaces = tuple(json.loads(metadata.metadata.get(REPLACES_KEY, b"[]")))
        ranges = [metadata.row_group(i).column(0).statistics for i in range(metadata.num_row_groups)]
        if not all(found and found.has_min_max for found in ranges):
            return cls(path, metadata.num_rows, "", "\U0010ffff", replaces)
        first, last = min((found.min for found in ranges), default=""), max((found.max for found in ranges), default="")
        return cls(path, metadata.num_rows, first, last, replaces)

    @property
    def name(self) -> str:
        """The name of the file."""
        return os.path.basename(self.path)

    def overlaps(self, after: str, before: str) -> bool:
        """Whether a row may lie between two paths."""
        return self.first.encode() < before.encode() and self.last.encode() > after.encode()


def find_parts(folder: str) -> list[Part]:
    """The parts in a directory, in the order of their names; by the holder of its lock. Those that another one replaces are deleted.

    Raises SinkError for a Parquet file that midiopt has not made.
    """
    parts = [Part.at(path) for path in sorted(glob.glob(os.path.join(glob.escape(folder), "*.parquet")))]
    replaced = {name for part in parts for name in part.replaces}
    delete_parts([part for part in parts if part.name in replaced])
    return [part for part in parts if part.name not in replaced]


def delete_parts(parts: list[Part]) -> None:
    """Delete the files of parts."""
    for part in parts:
        with errors_of(part.path):
            os.unlink(part.path)
            sync_folder(os.path.dirname(part.path))


def next_number(parts: list[Part]) -> int:
    """The first number that is in no name of a part; names that a task of a cluster has given have none."""
    numbers = (re.match(r"part-(\d+)-", part.name) for part in parts)
    return 1 + max((int(found[1]) for found in numbers if found), default=0)


def new_name(number: int) -> str:
    """The name of a new part. No name is used again, so that a part can say which others it replaces."""
    return f"part-{number:06}-{secrets.token_hex(4)}.parquet"


def write_part(folder: str, name: str, rows: Iterable[pa.RecordBatch], metadata: dict[bytes, bytes] | None = None) -> Part:
    """Write rows with the columns of ROW_COLUMNS as one part, which replaces one of that name. Raises SinkError."""
    temporary = os.path.join(folder, f".{name}.tmp")
    _write_file(temporary, rows, metadata or {})
    return _renamed(temporary, folder, name)


def write_unadopted(folder: str, rows: Iterable[pa.RecordBatch]) -> str:
    """Write rows into a file that is no part yet, and that the next run deletes if this one does not adopt it. Returns its name."""
    name = UNADOPTED.format(secrets.token_hex(8))
    _write_file(os.path.join(folder, name), rows, {})
    return name


def adopt_file(folder: str, temporary: str, number: int) -> Part:
    """Make what ``write_unadopted`` has written a part."""
    return _renamed(os.path.join(folder, temporary), folder, new_name(number))


def _write_file(path: str, rows: Iterable[pa.RecordBatch], metadata: dict[bytes, bytes]) -> None:
    schema = SCHEMA.with_metadata({**SCHEMA.metadata, **metadata})
    with errors_of(path):
        try:
            with open(path, "wb") as file:
                with open_writer(file, schema, ROW_COLUMNS) as writer:
                    writer.write_table(pa.Table.from_batches(list(rows), schema), row_group_size=PART_ROWS)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(path)
            raise


def _renamed(temporary: str, folder: str, name: str) -> Part:
    path = os.path.join(folder, name)
    with errors_of(path):
        os.rename(temporary, path)
        sync_folder(folder)
    return Part.at(path)


def sync_folder(folder: str) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_columns(part: Part, names: list[str]) -> pa.Table:
    """Some columns of a part."""
    with errors_of(part.path):
        return pq.ParquetFile(part.path).read(names)


def read_part(part: Part) -> pa.Table:
    """All rows of a part with today's columns: of an older one, new columns are null. Enumerations have the names of schema.py."""
    with errors_of(part.path):
        table = pq.ParquetFile(part.path).read()
    arrays = []
    for column, field in zip(ROW_COLUMNS, SCHEMA, strict=True):
        if column.name not in table.column_names:
            arrays.append(pa.nulls(len(table), field.type))
        elif column.kind is ENUM:
            codes = pc.index_in(table[column.name].cast(pa.string()), value_set=pa.array(column.values)).combine_chunks()
            arrays.append(pa.DictionaryArray.from_arrays(codes.cast(pa.int8()), pa.array(column.values)))
        else:
            arrays.append(table[column.name].combine_chunks())
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def with_rows(table: pa.Table, rows: pa.Table) -> pa.Table | None:
    """The table with these rows in place of those with the same path, if any differs in a column that is not volatile; else None.

    Of several rows with one path the last counts. A path that the table lacks is added.
    """
    latest = {path: i for i, path in enumerate(rows["path"].to_pylist())}
    rows = rows.take(list(latest.values())).combine_chunks()
    places = {path: i for i, path in enumerate(table["path"].to_pylist())}
    at = np.array([places.get(path, -1) for path in latest], np.int64)
    known = np.flatnonzero(at >= 0)
    changed = known[_differ(table.take(at[known]).combine_chunks(), rows.take(known).combine_chunks())]
    if not len(changed) and len(known) == len(at):
        return None
    order = np.arange(len(table))
    order[at[changed]] = len(table) + changed
    added = len(table) + np.flatnonzero(at < 0)
    return pa.concat_tables([table, rows]).combine_chunks().take(np.concatenate((order, added)))


def _differ(old: pa.Table, new: pa.Table) -> NDArray[np.bool_]:
    """Which rows of two tables differ in a column that is not volatile."""
    differ = np.zeros(len(old), bool)
    for column in ROW_COLUMNS:
        if differ.all():
            break
        if column.volatile:
            continue
        a, b = (table[column.name].combine_chunks() for table in (old, new))
        if pa.types.is_list(a.type) or pa.types.is_fixed_size_list(a.type):
            differ |= [x != y for x, y in zip(a.to_pylist(), b.to_pylist(), strict=True)]
            continue
        if column.kind is ENUM:
            a, b = a.indices, b.indices
        equal = pc.or_(pc.fill_null(pc.equal(a, b), False), pc.and_(a.is_null(), b.is_null()))
        differ |= ~equal.to_numpy(zero_copy_only=False)
    return differ


@contextlib.contextmanager
def errors_of(path: str) -> Iterator[None]:
    """Raise errors of the file system and of pyarrow as a SinkError that names the file."""
    try:
        yield
    except OSError as error:
        raise SinkError(f"{path}: {error.strerror or error}; committed parts stay, run the same command again to resume") from error
    except pa.ArrowException as error:
        raise SinkError(f"{path}: {error}; if it is damaged, delete it: its files are then analysed again") from error
