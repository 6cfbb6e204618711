"""One bad row never takes its batch down: what no column can hold costs its own file, in every database."""

from __future__ import annotations

import numpy as np
import pytest

from midiopt.rows.batch import Batch
from midiopt.rows.validate import sound
from midiopt.schema import ANALYSES, FILES, NULL_ENUM, NULL_INT, Column
from tests.helpers.batches import HASH, analysis_row, file_row, make_batch, records

OTHER = bytes(16 * [7])
GOOD = [file_row(path=f"/{i}.mid", status="ok", content_hash=digest) for i, digest in enumerate((HASH, OTHER, HASH))]


def batch(status: str = "ok") -> Batch:
    return make_batch(
        [row | {"status": status, "error": None if status == "ok" else "é"} for row in GOOD],
        [analysis_row(content_hash=HASH, title="ü"), analysis_row(content_hash=OTHER, title="two")],
    )


def wrong(column: Column) -> list:
    """Values that the column cannot hold, as they would stand in a row."""
    null = {"enum": NULL_ENUM, "bool": NULL_ENUM, "float32": np.nan, "float64": np.nan, "hash16": 0, "hash8": 0, **NULL_INT}
    values: list = [] if column.null or column.kind not in null else [null[column.kind]]
    if column.kind == "enum":
        values.append(len(column.values))
    if column.kind == "bool":
        values += [2, 7, 254]
    if column.kind in ("text", "texts"):
        values += [(10**9, 1), (2**32 - 2, 1)]
    if column.kind == "floats":
        values += [[1.1] * 12, [-0.1] + [0.0] * 11, [np.nan] * 12]
    if column.kind == "time":
        values += [-(2**62), 2**62]
    return values


def test_good_rows_are_left_alone():
    for status in ("ok", "repaired"):
        good = batch(status)
        assert sound(good) is good
    empty = make_batch()
    assert sound(empty) is empty


CASES = [(table, c, value) for table, columns in (("files", FILES), ("analyses", ANALYSES)) for c in columns for value in wrong(c)]


@pytest.mark.parametrize(("table", "column", "value"), CASES, ids=lambda x: getattr(x, "name", None))
def test_a_bad_row_costs_its_own_file(table, column, value):
    bad = batch()
    getattr(bad, table)[column.name][1] = value
    mended = sound(bad)
    files = records(mended, "files")
    lost = [row for row in files if row["status"] == "crashed"]
    assert [row["error"] for row in lost] == [f"its {column.name} came out as no {column.name} can be"]
    assert lost[0]["content_hash"] is None
    assert sorted(row["path"] for row in files if row not in lost) == ["/0.mid", "/2.mid"]
    assert all(row["status"] == "ok" and row["content_hash"] == HASH for row in files if row not in lost)
    assert {row["content_hash"] for row in records(mended, "analyses")} == ({HASH, OTHER} if table == "files" else {HASH})
    assert sound(mended) is mended


@pytest.mark.parametrize("text", [b"\xff", b"a\xc3", b"a\0b"])
def test_text_that_is_none(text):
    bad = batch("repaired")
    at = len(bad.heap)
    bad = Batch(bad.files, bad.analyses, bad.heap + text)
    bad.analyses["title"][0] = (at, len(text))
    assert [row["status"] for row in records(sound(bad), "files")] == ["crashed", "repaired", "crashed"]


def test_text_cut_inside_a_character():
    bad = batch()
    at = int(bad.analyses["title"][0]["offset"])
    for offset, length in ((at, 1), (at + 1, 1)):  # the two bytes of one ü
        bad.analyses["title"][0] = (offset, length)
        assert [row["status"] for row in records(sound(bad), "files")] == ["crashed", "ok", "crashed"]
