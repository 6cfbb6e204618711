"""Tables whose rows are files: Parquet and Arrow (files, streams and Feather), as dataset hubs ship MIDI.

A row is a member. The contents are in a column of binary values, or in a struct of `bytes` and `path`, as Hugging Face has them; of
several such columns, in the one whose first values are songs. A row has the name that the table has for it, else its number; after the
name of the column where that was told. Rows before the first one that is wanted are only counted, and their names read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from midiopt.errors import Damaged, MissingExtra, NotAnArchive, TooLarge, over_limit
from midiopt.sources.archives.decompress import find_magic
from midiopt.sources.archives.limits import ArchiveLimits
from midiopt.sources.archives.stream import RandomAccess
from midiopt.sources.archives.table_groups import ENCRYPTED, ArrowGroups, Group, ParquetGroups, Place, TableErrors
from midiopt.sources.sniff import ARROW_FILE, ARROW_STREAM, ENCRYPTED_PARQUET, PARQUET, is_song
from midiopt.sources.table_columns import CONTENTS, PATHS, column_kind, field_of, first_of

SNIFFED_ROWS = 16  # of each column that may have the files


def is_table(head: bytes) -> bool:
    """Whether a Parquet or Arrow file begins with these bytes."""
    return head.startswith((PARQUET, ENCRYPTED_PARQUET, ARROW_FILE, ARROW_STREAM))


class TableRow:
    """A row of a table, whose content is read when it is asked for."""

    def __init__(self, table: Table, group: Group, row: int) -> None:
        self._table = table
        self._group = group
        self._row = row

    def size(self) -> int:
        """Bytes of the content; 0 if there is none."""
        content = self._content()
        return 0 if content is None else len(content)

    def data(self, max_bytes: int) -> memoryview:
        """The content. Raises Damaged and TooLarge."""
        content = self._content()
        if content is None:
            raise Damaged("null in place of a content")
        if len(content) > max_bytes:
            raise TooLarge(over_limit(len(content), max_bytes))
        return content

    def _content(self) -> memoryview | None:
        with self._table.errors:
            return self._group.value(self._table.contents, self._row)


class Table:
    """The rows of a table: name, size, and what reads the content.

    ``first`` is the first row whose size is wanted. ``group_rows`` is how many rows must be read as one; 0: the whole file.
    Raises NotAnArchive, and MissingExtra without pyarrow.
    """

    def __init__(self, file: RandomAccess, head: bytes, limits: ArchiveLimits) -> None:
        self.first = 0
        if head.startswith(ENCRYPTED_PARQUET):
            raise NotAnArchive(ENCRYPTED)
        try:
            import pyarrow as pa
            import pyarrow.compute
        except ImportError as error:
            raise MissingExtra("a Parquet or Arrow file", "arrow") from error
        self.errors = TableErrors(pa)
        try:
            with self.errors:
                self._reader = ParquetGroups(pa, file, limits) if head.startswith(PARQUET) else ArrowGroups(pa, file, head)
                self.contents, self._names = self._find_columns(pa, self._reader.schema, limits.column)
                self._reader.check(self.contents)
        except Damaged as problem:
            raise NotAnArchive(str(problem)) from None
        self.group_rows = self._reader.group_rows
        self._prefix = b"" if limits.column is None else limits.column.encode() + b"/"

    def __iter__(self) -> Iterator[tuple[bytes, int, int, int, TableRow]]:
        number = 0
        groups = self._reader.groups()
        while True:
            with self.errors:
                group = next(groups, None)
            if group is None:
                return
            for at in range(group.rows):
                with self.errors:
                    name = group.value(self._names, at) if self._names else None
                row = TableRow(self, group, at)
                size = row.size() if number >= self.first else 0
                yield self._prefix + bytes(name or b"%d.mid" % number), size, 0, size, row
                number += 1

    def _find_columns(self, pa: Any, schema: Any, told: str | None) -> tuple[Place, Place | None]:
        kinds = {field.name: column_kind(pa, field.type) for field in schema}
        found = [Place(name) for name, kind in kinds.items() if kind == "bytes"]
        for name in (name for name, kind in kinds.items() if kind == "struct"):
            found.append(Place(name, field_of(pa, schema.field(name).type, CONTENTS, "bytes")))
        if told is not None:
            found = [place for place in found if place.column == told]
        if not found:
            raise NotAnArchive(f"a table without a column {told or 'of contents'} (binary)")
        contents = found[0] if len(found) == 1 else self._with_songs(found)
        if contents.field and (name := field_of(pa, schema.field(contents.column).type, PATHS, "path", "bytes")):
            return contents, Place(contents.column, name)
        name = first_of(PATHS, [name for name, kind in kinds.items() if kind == "path"])
        return contents, Place(name) if name else None

    def _with_songs(self, found: list[Place]) -> Place:
        """The column whose first values are songs, or compressed."""
        group = next(self._reader.groups(), None)
        songs = []
        for place in found:
            if group is None:
                break
            values = [group.value(place, row) for row in range(min(group.rows, SNIFFED_ROWS))]
            heads = [bytes(value[:12]) for value in values if value is not None]
            if any(is_song(head) or find_magic(head[:6]) for head in heads):
                songs.append(place)
        usual = [place for name in CONTENTS for place in songs or found if place.column == name]
        if not usual and len(songs) != 1:
            names = ", ".join(place.dotted for place in songs or found)
            raise NotAnArchive(f"a table with several columns that may have the files: {names}; name one with --column")
        return (usual or songs)[0]
