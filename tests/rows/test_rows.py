"""Batches as messages, and the compiled encoders on their own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import closing
from typing import Any

import numpy as np
import pytest

from midiopt.kinds import TIME
from midiopt.rows.batch import ANALYSES_DTYPE, FILES_DTYPE, Batch, Rows
from midiopt.rows.decode import row_to_values
from midiopt.rows.layout import FILES_LAYOUT, LAYOUTS, Field
from midiopt.rows.wire import message
from midiopt.schema import ANALYSES, FILES, Table
from midiopt.sinks.postgres_copy import CopyEncoder
from midiopt.sinks.sqlite_rows import RowEncoder
from midiopt.sinks.sqlite_statement import RowStatement, connect
from tests.helpers.batches import analysis_row, file_row, make_batch, records, track_row


def batches() -> list[Batch]:
    return [
        make_batch(
            [file_row(path=f"/{n}/{i}", error=None if i else "why") for i in range(n)],
            [analysis_row(title=f"ü{n}")] * (n // 2),
            [track_row(track=i, name=f"é{n}") for i in range(n // 2)],
        )
        for n in (3, 0, 1, 4)
    ]


def to_bytes(batch: Batch) -> bytes:
    return message(batch.files.tobytes(), batch.analyses.tobytes(), batch.tracks.tobytes(), batch.heap)


def test_a_batch_travels_as_bytes() -> None:
    for batch in batches():
        back = Batch.from_bytes(to_bytes(batch))
        assert len(back) == len(batch)
        for table in ("files", "analyses", "tracks"):
            assert records(back, table) == records(batch, table)


def test_batches_join() -> None:
    joined = Batch.concat(batches())
    assert len(joined) == 8
    for table in ("files", "analyses", "tracks"):
        key = {"files": "path", "analyses": "content_hash", "tracks": "track"}[table]
        assert records(joined, table) == sorted((row for b in batches() for row in records(b, table)), key=lambda row: row[key])
    assert to_bytes(Batch.concat(batches()[:1])) == to_bytes(batches()[0])


def field_of(table: Table, name: str) -> Field:
    return LAYOUTS[table].fields[table.columns.index(table[name])]


def by_tuples(field: Field, rows: Rows) -> list[object]:
    """One column of the rows as Python's sqlite3 gets it."""
    return [value for (value,) in RowEncoder([field]).tuples(rows, b"")]


def by_statement(field: Field, rows: Rows) -> list[object]:
    """The same written by the C interface and read back."""
    connection, handle = connect(":memory:")
    with closing(connection):
        connection.execute("CREATE TABLE written (value)")
        with closing(RowStatement(handle, "INSERT INTO written VALUES (?)", [field])) as statement:
            statement.write(rows, b"")
        return [value for (value,) in connection.execute("SELECT value FROM written ORDER BY rowid")]


def sqlite_values(table: Table, name: str, values: object, count: int) -> list[object]:
    """One column as SQLite gets it, of `count` rows, in both ways."""
    rows = np.zeros(count, FILES_DTYPE if table is FILES else ANALYSES_DTYPE)
    rows[name] = values
    field = field_of(table, name)
    found = by_statement(field, rows)
    assert by_tuples(field, rows) == found
    return found


def analysis_values(name: str, values: np.ndarray[Any, Any]) -> list[object]:
    return sqlite_values(ANALYSES, name, values, len(values))


def test_floats_get_the_shortest_decimal() -> None:
    random = np.random.default_rng(7)
    for low, high in ((0, 1), (20, 300), (1e-14, 1e-9), (1e3, 1e7), (-1e5, 0)):
        x = random.uniform(low, high, 20_000).astype("f4")
        assert analysis_values("bpm", x) == [float(str(v)) for v in x]
    x = random.integers(0, 2**32, 20_000, dtype="u4").view("f4")
    x = x[~np.isnan(x)]
    assert np.array_equal(np.array(analysis_values("bpm", x)).astype("f4"), x)


def test_shares_are_written_as_their_decimals() -> None:
    shares = np.r_[0 : 10**6 : 10, 1 : 10**6 : 10, 10**6, 10**6, 0, 1].reshape(-1, 12)
    for row, text in zip(shares.tolist(), analysis_values("pitch_classes", (shares / 1e6).astype("f4")), strict=True):
        decimals = [f"{n // 10**6}.{n % 10**6:06}".rstrip("0").rstrip(".") for n in row]
        assert text == f"[{','.join(decimals)}]"


@pytest.mark.parametrize("write", [by_tuples, by_statement])
@pytest.mark.parametrize("share", [-0.1, 1.1, np.nan])
def test_a_number_outside_0_to_1_is_no_share(share: float, write: Callable[[Field, Rows], object]) -> None:
    rows = np.zeros(1, ANALYSES_DTYPE)
    rows["pitch_classes"] = share
    with pytest.raises(ValueError, match="share"):
        write(field_of(ANALYSES, "pitch_classes"), rows)


def test_every_day_has_its_date() -> None:
    days = range(1, dt.date.max.toordinal() + 1, 97)
    times = [(day - dt.date(1970, 1, 1).toordinal()) * 86_400_000_000 + 1 for day in days]
    found = sqlite_values(FILES, "analyzed_at", times, len(times))
    assert found == [f"{dt.date.fromordinal(day)}T00:00:00.000001Z" for day in days]


def test_times_become_text() -> None:
    noon = int(dt.datetime(2024, 2, 29, 12, tzinfo=dt.UTC).timestamp()) * 10**6
    times = [noon, noon, noon + 1, TIME.low, TIME.high, 0]
    assert sqlite_values(FILES, "analyzed_at", times, 6) == [
        "2024-02-29T12:00:00.000000Z",
        "2024-02-29T12:00:00.000000Z",
        "2024-02-29T12:00:00.000001Z",
        "0001-01-01T00:00:00.000000Z",
        "9999-12-31T23:59:59.999999Z",
        "1970-01-01T00:00:00.000000Z",
    ]


@pytest.mark.parametrize("write", [by_tuples, by_statement])
@pytest.mark.parametrize("time", [TIME.low - 1, TIME.high + 1, -(2**63), 2**63 - 1])
def test_a_time_outside_the_years_1_to_9999_is_refused(time: int, write: Callable[[Field, Rows], object]) -> None:
    rows = np.zeros(1, FILES_DTYPE)
    rows["analyzed_at"] = time
    with pytest.raises(ValueError, match="time"):
        write(field_of(FILES, "analyzed_at"), rows)


def test_copy_bytes_as_the_manual_has_them() -> None:
    facts = {"size_bytes": 258, "mtime_ns": -1, "content_hash": None, "status": "ok", "analyzer_version": 1}
    batch = make_batch([file_row(path="/é", **facts, name_bpm=120, name_key=None, name_meter="6/8")])
    row = bytes.fromhex(
        "000c"  # 12 fields
        "00000003 2fc3a9"  # path: 3 bytes
        "00000008 0000000000000102"  # size_bytes
        "00000008 ffffffffffffffff"  # mtime_ns
        "ffffffff"  # content_hash: null
        "00000002 6f6b"  # status: ok
        "ffffffff"  # error: null
        "00000002 0001"  # analyzer_version
        "00000008 0002b58cd363bfff"  # analyzed_at: microseconds since 2000
        "00000004 00000007"  # analysis_us
        "00000004 42f00000"  # name_bpm: 120
        "ffffffff"  # name_key: null
        "00000003 362f38"  # name_meter: 6/8
    )
    header = b"PGCOPY\n\xff\r\n\0" + bytes(8)
    assert CopyEncoder(FILES_LAYOUT.fields).encode(batch.files, batch.heap) == header + row + b"\xff\xff"
    assert CopyEncoder(FILES_LAYOUT.fields).encode(batch.files[:0], b"") == header + b"\xff\xff"


def test_a_row_that_cannot_be_decoded_is_refused() -> None:
    batch = make_batch([file_row(path="/x")], [analysis_row(title="title", key="Am")])
    row, heap = batch.analyses[:1].copy(), bytes(batch.heap)
    assert row_to_values(ANALYSES, row[0], heap) == row_to_values(ANALYSES, bytearray(row.tobytes()), memoryview(heap))
    with pytest.raises(ValueError, match="a row of 10 bytes"):
        row_to_values(ANALYSES, row.tobytes()[:10], heap)
    with pytest.raises(ValueError, match="in a heap of 3"):
        row_to_values(ANALYSES, row[0], heap[:3])
    row["key"] = 77
    with pytest.raises(ValueError, match="enumeration value 77 has no name"):
        row_to_values(ANALYSES, row[0], heap)
