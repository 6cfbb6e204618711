"""midiopt.analyze_batch: facts of Arrow batches, and in the programs that distribute them. One that is not installed is skipped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import midiopt
from midiopt.schema import ANALYSES, FILES
from tests.helpers.songs import song

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")

SONGS = [song(i) for i in range(3)]
CONTENTS = [SONGS[0], b"no MIDI file", None, SONGS[1], SONGS[0]]
STATUSES = ["ok", "rejected", "unreadable", "ok", "ok"]


@pytest.fixture
def folder(tmp_path) -> Path:
    for i, data in enumerate(SONGS):
        (tmp_path / f"{i}.mid").write_bytes(data)
    return tmp_path


def test_each_content_gives_a_row_in_order():
    batch = pa.record_batch({"bytes": pa.array(CONTENTS, pa.binary()), "name": ["a 120bpm.mid", "b.mid", "c.mid", None, "e.mid"]})
    found = midiopt.analyze_batch(batch)
    assert isinstance(found, pa.RecordBatch) and found.validate(full=True) is None
    rows = found.to_pylist()
    assert [row["status"] for row in rows] == STATUSES
    assert [row["path"] for row in rows] == ["a 120bpm.mid", "b.mid", "c.mid", None, "e.mid"]
    assert (rows[0]["name_bpm"], rows[0]["mtime_ns"], rows[0]["size_bytes"]) == (120, None, len(SONGS[0]))
    assert rows[1]["error"].startswith("it looks like text") and rows[2]["error"].startswith("null")
    assert all(rows[i]["note_count"] is None for i in (1, 2))
    others = ("error", "issues")  # a dictionary has the names of issues
    for i in (0, 3, 4):
        facts = midiopt.analyze(CONTENTS[i]).to_dict()
        assert {name: rows[i][name] for name in facts if name not in others} == {name: facts[name] for name in facts if name not in others}


def test_the_schema_has_every_column_with_its_meaning_and_unit():
    schema = midiopt.analyze_batch(pa.table({"path": pa.array([], pa.string())})).schema
    names = [column.name for column in FILES]
    columns = [*FILES, *(column for column in ANALYSES if column.name not in names)]
    assert schema.names == [column.name for column in columns]
    assert [schema.field(c.name).metadata[b"meaning"].decode() for c in columns] == [c.meaning for c in columns]
    assert schema.field("bpm").metadata[b"unit"] == b"beats/min"


def test_paths_are_read(folder):
    paths = [str(folder / "0.mid"), str(folder / "no.mid"), None, str(folder / "2.mid")]
    found = midiopt.analyze_batch(pa.table({"path": paths, "label": [1, 2, 3, 4]}))
    assert isinstance(found, pa.Table)
    assert found["path"].to_pylist() == paths
    assert found["error"].to_pylist() == [None, "No such file or directory", "null, where a path or content should be", None]
    assert found["mtime_ns"][0].as_py() == (folder / "0.mid").stat().st_mtime_ns


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({"midi": pa.array([{"bytes": SONGS[1], "path": "x.mid"}])}, id="as Hugging Face datasets have it"),
        pytest.param({"song": pa.array([SONGS[1]], pa.large_binary()), "__key__": ["x.mid"]}, id="as WebDataset readers have it"),
        pytest.param({"bytes": pa.array([SONGS[1]], pa.binary()), "other": pa.array([b"x"]), "path": ["x.mid"]}, id="a usual name"),
    ],
)
def test_the_column_is_found(columns):
    [row] = midiopt.analyze_batch(pa.table(columns)).to_pylist()
    assert (row["status"], row["path"]) == ("ok", "x.mid")


@pytest.mark.parametrize(
    ("fields", "rows"),
    [
        pytest.param({"bytes": "bytes of text", "midi": SONGS[1], "path": 7, "name": "x.mid"}, [("ok", "x.mid")], id="of other types"),
        pytest.param({"bytes": SONGS[1], "path": {"name": "x.mid"}}, [("ok", None)], id="nested"),
        pytest.param({"bytes": SONGS[1], "path": b"x.mid"}, [("ok", "x.mid")], id="a binary name"),
    ],
)
def test_fields_of_a_struct_have_types(fields, rows):
    """Those of other types were taken for contents and names, which crashed the analysis or ended the call."""
    found = midiopt.analyze_batch(pa.table({"midi": pa.array([fields])})).to_pylist()
    assert [(row["status"], row["path"]) for row in found] == rows


def test_a_batch_of_nulls_has_rows():
    """As programs make them of a batch in which each value is None."""
    for name in ("path", "bytes"):
        found = midiopt.analyze_batch(pa.record_batch({name: pa.nulls(2), "label": pa.nulls(2)}))
        assert found["status"].to_pylist() == ["unreadable"] * 2 and found["path"].to_pylist() == [None, None]


@pytest.mark.parametrize("module", ["pandas", "polars"])
def test_data_frames(module, folder):
    frame = pytest.importorskip(module).DataFrame({"path": [str(folder / "0.mid"), None], "label": [1, 2]})
    found = midiopt.analyze_batch(frame)
    assert isinstance(found, pa.Table)
    assert found["path"].to_pylist() == [str(folder / "0.mid"), None] and found["status"].to_pylist() == ["ok", "unreadable"]


def test_a_column_that_is_not_found_is_asked_for():
    batch = pa.record_batch({"a": pa.array([SONGS[0]]), "b": pa.array([b"x"])})
    with pytest.raises(ValueError, match="which column has the files"):
        midiopt.analyze_batch(batch)
    assert midiopt.analyze_batch(batch, "b")["status"].to_pylist() == ["rejected"]
    with pytest.raises(KeyError):
        midiopt.analyze_batch(batch, "c")
    with pytest.raises(TypeError, match=r"a pyarrow.RecordBatch, a Table or a data frame, not list"):
        midiopt.analyze_batch([SONGS[0]])
    with pytest.raises(TypeError, match=r"or a data frame, not ChunkedArray"):
        midiopt.analyze_batch(pa.chunked_array([["a.mid"]]))
    with pytest.raises(ValueError, match="neither text nor binary"):
        midiopt.analyze_batch(pa.table({"n": [1]}), "n")


# Each prints the number of notes of two songs as JSON. {folder} has 0.mid, 1.mid and 2.mid.
PROGRAMS = {
    "ray": """
import midiopt, pyarrow, ray.data
ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
songs = ray.data.from_items([{{"path": "{folder}/0.mid"}}, {{"path": "{folder}/1.mid"}}])
facts = songs.map_batches(midiopt.analyze_batch, batch_format="pyarrow")
notes = [row["note_count"] for row in sorted(facts.take_all(), key=lambda row: row["path"])]
""",
    "pyspark": """
import midiopt
from pyspark.sql import SparkSession
def facts(batches):
    for batch in batches:
        yield midiopt.analyze_batch(batch).select(["path", "key", "bpm", "note_count"])
spark = SparkSession.builder.master("local[2]").getOrCreate()
songs = spark.createDataFrame([("{folder}/0.mid",), ("{folder}/1.mid",)], "path string")
found = songs.mapInArrow(facts, "path string, key string, bpm float, note_count int").sort("path")
notes = [row.note_count for row in found.collect()]
""",
    "daft": """
import daft, midiopt
songs = daft.from_pydict({{"path": ["{folder}/0.mid", "{folder}/1.mid"]}})
@daft.func.batch(return_dtype=daft.DataType.int32())
def note_count(path: daft.Series):
    return midiopt.analyze_batch(daft.recordbatch.MicroPartition.from_pydict({{"path": path}}).to_arrow())["note_count"].combine_chunks()
notes = songs.with_column("notes", note_count(songs["path"])).to_pydict()["notes"]
""",
    "datasets": """
import datasets, midiopt
songs = [{{"bytes": open("{folder}/%d.mid" % i, "rb").read(), "path": "%d.mid" % i}} for i in (0, 1)]
songs = datasets.Dataset.from_dict({{"midi": songs}})
facts = songs.with_format("arrow").map(midiopt.analyze_batch, batched=True, remove_columns=songs.column_names)
notes = facts.with_format(None)["note_count"]
""",
    "duckdb": """
import duckdb, midiopt
songs = duckdb.sql("SELECT file AS path FROM glob('{folder}/[01].mid') ORDER BY path")
facts = midiopt.analyze_batch(songs.to_arrow_table())
notes = [notes for (notes,) in duckdb.sql("SELECT note_count FROM facts ORDER BY path").fetchall()]
""",
}


@pytest.mark.parametrize("module", PROGRAMS)
def test_other_programs_analyse_their_batches(module, folder):
    pytest.importorskip(module, reason=f"{module} is not installed")
    code = PROGRAMS[module].format(folder=folder) + "\nimport json\nprint(json.dumps([int(n) for n in notes]))"
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable, "HF_HOME": str(folder), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=folder, env=environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [midiopt.analyze(data).note_count for data in SONGS[:2]]
