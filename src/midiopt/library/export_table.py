"""The files that a search has found as a table in a file: CSV, JSON Lines, Parquet, or a playlist.

It is written beside its place under another name and moved there when it is complete, so that there is the whole table or none. What a
killed export of the same name has left is deleted.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import IO, Any

from midiopt.errors import MissingExtra, SourceError
from midiopt.kinds import HASH8, HASH16, TEXTS
from midiopt.library.arrow import maker
from midiopt.library.part_files import open_part, part_name, remove_left_parts
from midiopt.library.search import COLUMNS, FACTS, Found, csv_values, plain_value
from midiopt.rows.arrow_schema import arrow_schema
from midiopt.schema import OPENED, STATUSES, Column
from midiopt.sources.paths import archive_in, is_truncated, path_bytes

PARTS_PER_GROUP = 25  # of a Parquet file, whose groups have 50,000 rows
ROWS_PER_PART = 2000  # as Python objects, which take 6 KB each
# In which issues are lists of names.
_TABLE_COLUMNS = [Column("issues", TEXTS, "repairs and what is unusual") if c.name == "issues" else c for c in COLUMNS]
Report = Callable[[str, str], None]


def export_table(target: str, files: Iterable[Found], failed: Report) -> int:
    """Write the files into `target`, whose suffix says how; returns their number. What a playlist cannot name is reported.

    Raises SourceError if there is such a file already, or it cannot be written, and MissingExtra for Parquet without pyarrow.
    """
    write = FORMATS.get(os.path.splitext(target)[1].lower())
    if write is None:
        raise SourceError(f"{target}: the name must end with {', '.join(FORMATS)}")
    if os.path.lexists(target):
        raise SourceError(f"{target} is there already; delete it or choose another name")
    folder, name = os.path.split(target)
    remove_left_parts(folder or ".", name)
    part = part_name(target)
    try:
        with open(open_part(part), "wb") as file:
            number = write(file, files, failed)
            file.flush()
            os.fsync(file.fileno())
            try:
                os.link(part, target)
            except FileExistsError:
                raise SourceError(f"{target} is there already; delete it or choose another name") from None
            except OSError:  # FAT has no hard links
                os.rename(part, target)
        return number
    except OSError as problem:
        raise SourceError(f"{target}: {problem.strerror or problem}") from None
    finally:
        with contextlib.suppress(OSError):
            os.unlink(part)


def _write_csv(file: IO[bytes], files: Iterable[Found], failed: Report) -> int:
    import io

    text = io.TextIOWrapper(file, "utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(FACTS)
    number = 0
    for found in files:
        writer.writerow(csv_values(found))
        number += 1
    text.detach()
    return number


def _write_jsonl(file: IO[bytes], files: Iterable[Found], failed: Report) -> int:
    number = 0
    for found in files:
        file.write(json.dumps(found.facts(), ensure_ascii=False, default=plain_value).encode() + b"\n")
        number += 1
    return number


def _write_playlist(file: IO[bytes], files: Iterable[Found], failed: Report) -> int:
    """Extended M3U in UTF-8: what lies in an archive, or has a name that is no UTF-8 or has line ends, cannot be in it.

    An archive is passed: what it contains are files of their own.
    """
    file.write(b"#EXTM3U\n")
    number = 0
    for found in files:
        if found.status == STATUSES[OPENED]:
            continue
        if archive_in(found.path):
            failed(found.path, "a playlist cannot name a member of an archive; export it with --copy")
            continue
        try:
            path = path_bytes(found.path).decode()
        except UnicodeDecodeError:
            path = "\n"
        if is_truncated(found.path) or (not path.isprintable() and any(c in path for c in "\r\n")):
            failed(found.path, "a playlist cannot have this name")
            continue
        title = " ".join((found.title or os.path.splitext(os.path.basename(path))[0]).split())
        file.write(f"#EXTINF:{round(found.duration_s or 0)},{title}\n{path}\n".encode(errors="replace"))
        number += 1
    return number


def _write_parquet(file: IO[bytes], files: Iterable[Found], failed: Report) -> int:
    try:
        import pyarrow as pa
    except ImportError as error:
        raise MissingExtra("Parquet", "arrow") from error
    from midiopt.sinks.parquet_parts import open_writer

    schema = arrow_schema(pa, _TABLE_COLUMNS)
    number = 0
    with open_writer(file, schema, _TABLE_COLUMNS) as writer:
        parts = (pa.table([_array(pa, column, rows) for column in _TABLE_COLUMNS], schema=schema) for rows in _parts(files))
        while group := list(islice(parts, PARTS_PER_GROUP)):
            table = pa.concat_tables(group)
            writer.write_table(table, row_group_size=len(table))
            number += len(table)
    return number


def _parts(files: Iterable[Found]) -> Iterator[list[Found]]:
    """So many files at a time."""
    rest = iter(files)
    while rows := list(islice(rest, ROWS_PER_PART)):
        yield rows


def _array(pa: Any, column: Column, rows: list[Found]) -> Any:
    """Hashes are hexadecimal."""
    values: list[Any] = [found.issue_names if column.name == "issues" else getattr(found, column.name) for found in rows]
    if column.kind in (HASH8, HASH16):
        values = [value and value.hex() for value in values]
    return maker(pa, column, in_view=True)(values)


FORMATS: dict[str, Callable[[IO[bytes], Iterable[Found], Report], int]] = {
    ".csv": _write_csv,
    ".jsonl": _write_jsonl,
    ".parquet": _write_parquet,
    ".m3u8": _write_playlist,
}
