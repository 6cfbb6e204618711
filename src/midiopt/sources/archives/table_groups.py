"""The values of tables: groups of rows of a Parquet file, or record batches of an Arrow file, and in each the columns that are wanted.

A Parquet file is read in small batches from one group of rows after the other, and an Arrow file is mapped into memory.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from midiopt.errors import Damaged
from midiopt.sources.archives.limits import BOMB_ERROR, BOMB_RATIO, ArchiveLimits
from midiopt.sources.archives.stream import RandomAccess, Stream
from midiopt.sources.sniff import ARROW_FILE

READ_BYTES = 1 << 20  # of a column at a time
BATCH_ROWS = 64  # 33 us a song of 14 KB with snappy, as with 16 or 256
# A dictionary of one value of 30 MB, named by 100,000 rows, takes 1.6 KB of a file. Where a dictionary may be larger than this, values
# stay in it: songs in no dictionary then take 58 us instead of 33. Below, a batch takes at most 256 MB.
MAX_PLAIN_DICTIONARY_BYTES = 16 << 20
DICTIONARY_BATCH_ROWS, VALUES_BATCH_ROWS = 256, 16
MAX_FOOTER_STRINGS, MAX_FOOTER_ITEMS = 16 << 20, 1_000_000  # bytes and list entries of the metadata
ENCRYPTED = "encrypted tables are not supported"
SIGNATURE_BYTES = 28  # after the metadata of a Parquet file whose columns are encrypted, but not its metadata
MAX_GROUP_ROWS = 4096  # of a group that any worker reads as a whole; with larger ones the file is read from front to back


class Place(NamedTuple):
    """The column, and where it is a struct the field, of contents or names."""

    column: str
    field: str | None = None

    @property
    def dotted(self) -> str:
        """As Parquet has it."""
        return self.column if self.field is None else f"{self.column}.{self.field}"


class Group:
    """Rows that are stored together, and their columns, each read from front to back."""

    def __init__(self, pa: Any, reader: ParquetGroups | ArrowGroups, number: int, rows: int) -> None:
        self.rows = rows
        self._pa = pa
        self._reader = reader
        self._number = number
        self._open: dict[Place, _Values] = {}

    def value(self, place: Place, row: int) -> memoryview | None:
        """The value of a row, text in UTF-8."""
        values = self._open.get(place)
        if values is None or row < values.start:
            values = self._open[place] = _Values(self._pa, self._reader.arrays(self._number, place))
        return values.value(row)


class _Values:
    """The values of a column of a group."""

    def __init__(self, pa: Any, arrays: Iterable[Any]) -> None:
        self.start = 0  # the row at which the present array begins
        self._pa = pa
        self._arrays = iter(arrays)
        self._take(None)

    def _take(self, array: Any) -> None:
        self._array, self._length = array, 0 if array is None else len(array)
        self._indices = None
        if array is not None and self._pa.types.is_dictionary(array.type):
            self._array, self._indices = array.dictionary, array.indices

    def value(self, row: int) -> memoryview | None:
        """That of a row not before ``start``."""
        while row >= self.start + self._length:
            self.start += self._length
            array = next(self._arrays, None)
            if array is None:
                raise Damaged("fewer rows than the table says")
            self._take(array)
        at = row - self.start
        if self._indices is not None:
            at = self._indices[at].as_py()
        scalar = None if at is None else self._array[at]
        buffer = None if scalar is None else scalar.as_buffer()
        return None if buffer is None else memoryview(buffer)


class ParquetGroups:
    """The groups of rows of a Parquet file."""

    def __init__(self, pa: Any, file: RandomAccess, limits: ArchiveLimits) -> None:
        import pyarrow.parquet as pq

        self._pa = pa
        self._pq = pq
        self._source = file
        self._max_bytes = limits.bomb_min_bytes + BOMB_RATIO * file.size
        self._file = self._open([])
        self.schema = self._file.schema_arrow
        self._metadata = self._file.metadata
        if int.from_bytes(file.read(4, file.size - 8), "little") - self._metadata.serialized_size == SIGNATURE_BYTES:
            raise Damaged(ENCRYPTED)  # pyarrow ends the process where it is asked about such a column
        self._batch_rows = VALUES_BATCH_ROWS
        rows = max((self._metadata.row_group(i).num_rows for i in range(self._metadata.num_row_groups)), default=1)
        self.group_rows = max(1, rows) if rows <= MAX_GROUP_ROWS else 0

    def _open(self, dictionaries: list[str]) -> Any:
        return self._pq.ParquetFile(
            self._pa.PythonFile(Stream(self._source), mode="r"),
            buffer_size=READ_BYTES,
            pre_buffer=False,
            read_dictionary=dictionaries,
            thrift_string_size_limit=MAX_FOOTER_STRINGS,
            thrift_container_size_limit=MAX_FOOTER_ITEMS,
        )

    def check(self, contents: Place) -> None:
        """Decide how the contents are read. Raises Damaged where they expand too much."""
        chunks = []
        for group in map(self._metadata.row_group, range(self._metadata.num_row_groups)):
            columns = map(group.column, range(group.num_columns))
            wanted = [column for column in columns if column.path_in_schema == contents.dotted]
            chunks += [(column.total_uncompressed_size, column.has_dictionary_page) for column in wanted]
        if sum(size for size, _ in chunks) > self._max_bytes:
            raise Damaged(BOMB_ERROR)
        if any(has_dictionary and size > MAX_PLAIN_DICTIONARY_BYTES for size, has_dictionary in chunks):
            self._file, self._batch_rows = self._open([contents.dotted]), DICTIONARY_BATCH_ROWS
        elif not any(has_dictionary for _, has_dictionary in chunks):
            self._batch_rows = BATCH_ROWS

    def groups(self) -> Iterator[Group]:
        """In order."""
        for number in range(self._metadata.num_row_groups):
            yield Group(self._pa, self, number, self._metadata.row_group(number).num_rows)

    def arrays(self, group: int, place: Place) -> Iterator[Any]:
        """The values of a column of a group, some at a time."""
        for batch in self._file.iter_batches(self._batch_rows, row_groups=[group], columns=[place.dotted], use_threads=False):
            yield _values(self._pa, batch, place)


class ArrowGroups:
    """The record batches of an Arrow file or stream."""

    group_rows = 0

    def __init__(self, pa: Any, file: RandomAccess, head: bytes) -> None:
        self._pa = pa
        if file.fd >= 0:  # mapped: what is not looked at is not read
            source = pa.BufferReader(pa.py_buffer(mmap.mmap(file.fd, 0, access=mmap.ACCESS_READ)))
        else:
            source = pa.PythonFile(Stream(file), mode="r")
        self._source = source
        self._is_file = head.startswith(ARROW_FILE)
        self._batch: Any = None
        self.schema = self._open().schema

    def _open(self) -> Any:
        self._source.seek(0)
        return self._pa.ipc.open_file(self._source) if self._is_file else self._pa.ipc.open_stream(self._source)

    def check(self, contents: Place) -> None:
        """Nothing says how far it expands, before it is read."""

    def groups(self) -> Iterator[Group]:
        """In order; only the last one can be read."""
        reader = self._open()
        batches = map(reader.get_batch, range(reader.num_record_batches)) if self._is_file else reader
        for number, batch in enumerate(batches):
            batch.validate(full=True)  # offsets may lead anywhere
            self._batch = batch
            yield Group(self._pa, self, number, len(batch))

    def arrays(self, group: int, place: Place) -> Iterator[Any]:
        """The values of a column of the present batch."""
        yield _values(self._pa, self._batch, place)


def _values(pa: Any, batch: Any, place: Place) -> Any:
    array = batch.column(batch.schema.get_field_index(place.column))
    return array if place.field is None else pa.compute.struct_field(array, place.field)


class TableErrors:
    """As a context manager, raises what pyarrow raises as Damaged. Errors of the disk stay what they are: they have a number."""

    def __init__(self, pa: Any) -> None:
        self._kinds = (pa.ArrowException, ValueError, OverflowError, KeyError, MemoryError)

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, traceback: object) -> None:
        if isinstance(problem, self._kinds) or (isinstance(problem, OSError) and problem.errno is None):
            text = "not enough memory" if isinstance(problem, MemoryError) else next(iter(str(problem).splitlines()), "")[:200]
            raise Damaged(f"damaged table ({text or type(problem).__name__})") from None
