"""An invalid value costs only its own file: the other rows of the batch are written."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from midiopt.kinds import BOOL, ENUM, SHARES, SKETCH, TIME
from midiopt.rows.batch import Batch
from midiopt.rows.layout import LAYOUTS
from midiopt.rows.validate import validate
from midiopt.schema import ANALYSES, FILES, TRACKS, Column
from midiopt.sinks.sqlite_rows import RowEncoder
from tests.helpers.batches import HASH, analysis_row, file_row, make_batch, records, track_row

OTHER = bytes(16 * [7])
GOOD = [file_row(path=f"/{i}.mid", status="ok", content_hash=digest) for i, digest in enumerate((HASH, OTHER, HASH))]


def batch(status: str = "ok") -> Batch:
    return make_batch(
        [row | {"status": status, "error": None if status == "ok" else "é"} for row in GOOD],
        [analysis_row(content_hash=HASH, title="ü", track_count=2), analysis_row(content_hash=OTHER, title="two", track_count=1)],
        [track_row(content_hash=HASH), track_row(content_hash=OTHER), track_row(content_hash=HASH, track=1)],
    )


def invalid_values(column: Column) -> list[object]:
    """Values that the column cannot hold, as they would stand in a row."""
    kind = column.kind
    values: list[object] = []
    if kind.is_text:
        values += [(10**9, 1), (2**32 - 2, 1)]
    elif kind.null is not None and not column.nullable:
        values.append(kind.null)
    if kind is ENUM:
        values.append(len(column.values))
    if kind is BOOL:
        values += [2, 7, 254]
    if kind is SHARES:
        values += [[1.1] * 12, [-0.1] + [0.0] * 11, [np.nan] * 12]
    if kind is SKETCH:  # a hash in another place, and two beyond all places
        values += [[2**19] + [0] * 31, [0] * 31 + [2**24], [0] * 31 + [-1]]
    if kind is TIME:
        values += [-(2**62), 2**62]
    return values


def test_valid_rows_are_left_alone() -> None:
    for status in ("ok", "repaired"):
        good = batch(status)
        assert validate(good) is good
    empty = make_batch()
    assert validate(empty) is empty


CASES = [(table.name, c, value) for table in (FILES, ANALYSES, TRACKS) for c in table for value in invalid_values(c)]


@pytest.mark.parametrize(("table", "column", "value"), CASES, ids=lambda x: getattr(x, "name", None))
def test_an_invalid_value_costs_its_own_file(table: str, column: Column, value: object) -> None:
    bad = batch()
    getattr(bad, table)[column.name][1] = value
    valid = validate(bad)
    files = records(valid, "files")
    lost = [row for row in files if row["status"] == "crashed"]
    of_table = " of tracks" if table == "tracks" else ""
    assert [row["error"] for row in lost] == [f"internal error: invalid value in column {column.name}{of_table}"]
    assert lost[0]["content_hash"] is None
    assert sorted(row["path"] for row in files if row not in lost) == ["/0.mid", "/2.mid"]
    assert all(row["status"] == "ok" and row["content_hash"] == HASH for row in files if row not in lost)
    analysed = {HASH, OTHER} if table == "files" else {HASH}
    assert {row["content_hash"] for row in records(valid, "analyses")} == analysed
    assert {row["content_hash"] for row in records(valid, "tracks")} == analysed
    assert validate(valid) is valid


@given(st.lists(st.sampled_from(CASES), min_size=2, max_size=8), st.integers(0, 2))
def test_several_invalid_values_are_all_mended(cases: list[tuple[str, Column, object]], row: int) -> None:
    """In rows of one content or one file: nothing that reaches the database's encoder may make it raise."""
    bad = batch()
    for table, column, value in cases:
        rows = getattr(bad, table)
        rows[column.name][row % len(rows)] = value
    valid = validate(bad)
    assert validate(valid) is valid
    files = records(valid, "files")
    assert len(files) == 3 and "crashed" in {row["status"] for row in files}
    for table in (FILES, ANALYSES, TRACKS):
        assert len(list(RowEncoder(LAYOUTS[table].fields).tuples(valid.rows(table), valid.heap))) == len(valid.rows(table))


@pytest.mark.parametrize("text", [b"\xff", b"a\xc3", b"a\0b"])
def test_bytes_that_are_no_text(text: bytes) -> None:
    bad = batch("repaired")
    at = len(bad.heap)
    bad = replace(bad, heap=bad.heap + text)
    bad.analyses["title"][0] = (at, len(text))
    assert [row["status"] for row in records(validate(bad), "files")] == ["crashed", "repaired", "crashed"]


def test_text_cut_inside_a_character() -> None:
    bad = batch()
    at = int(bad.analyses["title"][0]["offset"])
    for offset, length in ((at, 1), (at + 1, 1)):  # the two bytes of one ü
        bad.analyses["title"][0] = (offset, length)
        assert [row["status"] for row in records(validate(bad), "files")] == ["crashed", "ok", "crashed"]


@pytest.mark.parametrize("utf8", [True, False])
def test_a_row_of_invalid_values_costs_one_file(utf8: bool) -> None:
    """Each value of a row that can be invalid is, in all tables."""
    bad = batch()
    wrong = {table: [(c.name, values[0]) for c in table if (values := invalid_values(c))] for table in (FILES, ANALYSES, TRACKS)}
    for rows, table in ((bad.files, FILES), (bad.analyses, ANALYSES), (bad.tracks, TRACKS)):
        for name, value in wrong[table]:
            rows[name][1] = value
    if not utf8:
        bad = replace(bad, heap=bad.heap + b"\xff")
    valid = validate(bad)
    assert [(row["path"], row["status"]) for row in records(valid, "files")] == [
        ("/0.mid", "ok"),
        ("/2.mid", "ok"),
        ("a file whose path was lost", "crashed"),
    ]
    names = ", ".join(name for name, _ in wrong[FILES])
    assert records(valid, "files")[2]["error"] == f"internal error: invalid value in column {names}"
    assert [row["content_hash"] for row in records(valid, "analyses")] == [HASH]
    assert validate(valid) is valid
