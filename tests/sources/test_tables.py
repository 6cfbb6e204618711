"""Parquet and Arrow files whose rows are MIDI files: columns, names, ranges and damage. docs/archives.md describes the behaviour."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest

import midiopt
from midiopt.pipeline.tasks import MemberRange, ReadMembers
from midiopt.sources import content
from midiopt.sources.archives import table_groups
from midiopt.sources.filetypes import is_wanted
from tests.helpers.archives import analyze_archive, outcomes, process_task, tar_of
from tests.helpers.batches import known_hash
from tests.helpers.processes import file_rows, finish, tables
from tests.helpers.songs import song

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (make arrow-tests)")
pq = pytest.importorskip("pyarrow.parquet")

SONGS = [song(i) for i in range(40)]


def write_parquet(path: Path, rows: Any, **options: Any) -> None:
    pq.write_table(rows, path, **{"row_group_size": 15, **options})


def write_arrow(path: Path, rows: Any) -> None:
    """A file in the format of IPC, whose batches have 15 rows."""
    with pa.OSFile(str(path), "wb") as out, pa.ipc.new_file(out, rows.schema) as writer:
        writer.write_table(rows, 15)


def write_stream(path: Path, rows: Any) -> None:
    """As the library datasets keeps its cache."""
    with pa.OSFile(str(path), "wb") as out, pa.ipc.new_stream(out, rows.schema) as writer:
        writer.write_table(rows, 15)


def write_feather(path: Path, rows: Any) -> None:
    """Compressed with LZ4."""
    import pyarrow.feather

    pyarrow.feather.write_feather(rows, str(path))


WRITERS = {
    "snappy.parquet": write_parquet,
    "zstd.parquet": lambda path, rows: write_parquet(path, rows, compression="zstd", use_dictionary=False),
    "large groups.parquet": lambda path, rows: write_parquet(path, rows, row_group_size=table_groups.MAX_GROUP_ROWS + 1),
    "file.arrow": write_arrow,
    "stream.ARROW": write_stream,
    "stream.arrows": write_stream,
    "lz4.feather": write_feather,
}


@pytest.mark.parametrize("name", WRITERS)
def test_each_row_is_a_member(name, tmp_path):
    names = [f"d/{i}.mid" for i in range(39)] + ["d/0.mid"]
    WRITERS[name](tmp_path / name, pa.table({"title": ["x"] * 40, "path": names, "midi": SONGS}))
    summary, found = analyze_archive(tmp_path / name)
    assert (summary.ok, summary.opened) == (40, 1) and found.pop("")[:2] == ("opened", None)
    assert set(found) == {*names, "d/0.mid#2"}
    for data, member in zip(SONGS, [*names[:39], "d/0.mid#2"], strict=True):
        status, error, size, mtime_ns, digest = found[member]
        assert (status, error, size, mtime_ns, digest) == ("ok", None, len(data), 0, known_hash(data))
    assert analyze_archive(tmp_path / name)[0].skipped == 1, "it is unchanged"
    assert content.read_content(f"{tmp_path}/{name}!/d/7.mid") == SONGS[7]


def test_structs_of_hugging_face(tmp_path):
    """Of audio and MIDI, MIDI is chosen by its content. A row without a name has its number."""
    rows = [{"bytes": SONGS[0], "path": "a.mid"}, {"bytes": SONGS[1], "path": None}, {"bytes": None, "path": "b.mid"}, None]
    audio = [{"bytes": b"RIFF____WAVE", "path": f"{i}.wav"} for i in range(4)]
    write_parquet(tmp_path / "x.parquet", pa.table({"audio": audio, "score": rows}))
    _, found = analyze_archive(tmp_path / "x.parquet")
    assert outcomes(found) == {
        "": ("opened", None),
        "a.mid": ("ok", None),
        "1.mid": ("ok", None),
        "b.mid": ("unreadable", "null in place of a content"),
        "3.mid": ("unreadable", "null in place of a content"),
    }


def test_a_column_is_told(tmp_path):
    """Of two columns with songs; its name is part of the paths, and what the other one has stays."""
    path, db = tmp_path / "x.parquet", tmp_path / "x.db"
    write_parquet(path, pa.table({"score": SONGS[:3], "played": SONGS[3:6], "name": ["a", "b", "c"]}))
    midiopt.run([path], db)
    error = "a table with several columns that may have the files: score, played; name one with --column"
    assert file_rows(db, "status, error") == {str(path): ("rejected", error)}
    for column in ("score", "played"):
        assert finish(path, "--db", db, "--quiet", "--column", column).returncode == 0
    expected = {f"{path}!/{column}/{name}": ("ok", None) for column in ("score", "played") for name in "abc"}
    assert file_rows(db, "status, missing_since") == {str(path): ("opened", None), **expected}
    assert content.read_content(f"{path}!/played/b") == SONGS[4]
    with pytest.raises(midiopt.SourceError, match="there is no member"):
        content.read_content(f"{path}!/played/d")


def test_fields_of_a_struct_have_types(tmp_path):
    """Those of other types were taken for contents and names, which crashed the analysis."""
    rows = {
        "midi": {"bytes": [1, 2], "data": SONGS[0], "path": 7, "name": "a.mid"},
        "nested": {"midi": {"bytes": SONGS[1], "path": "b.mid"}},
    }
    write_parquet(tmp_path / "x.parquet", pa.table({name: pa.array([row]) for name, row in rows.items()}))
    _, found = analyze_archive(tmp_path / "x.parquet")
    assert outcomes(found) == {"": ("opened", None), "a.mid": ("ok", None)}
    write_parquet(tmp_path / "y.parquet", pa.table({"nested": pa.array([rows["nested"]])}))
    _, found = analyze_archive(tmp_path / "y.parquet")
    assert outcomes(found) == {"": ("rejected", "a table without a column of contents (binary)")}


def test_what_is_no_table_of_files(tmp_path):
    write_parquet(tmp_path / "numbers.parquet", pa.table({"n": [1, 2]}))
    _, found = analyze_archive(tmp_path / "numbers.parquet")
    assert outcomes(found) == {"": ("rejected", "a table without a column of contents (binary)")}
    write_parquet(tmp_path / "x.parquet", pa.table({"midi": SONGS[:2]}))
    midiopt.run([tmp_path / "x.parquet"], f"parquet:{tmp_path}/facts")
    [part] = (tmp_path / "facts").glob("*.parquet")
    assert not is_wanted(os.fsencode(part)) and is_wanted(b"/x/part-00000-1a2b3c4d-0f5e.c000.snappy.parquet"), "Spark's names"


def test_archives_and_compressed_files_in_a_table(tmp_path):
    """And a table in an archive."""
    import gzip

    rows = pa.table({"name": ["x.tar", "b.mid.gz"], "data": [tar_of({"a.mid": SONGS[0]}), gzip.compress(SONGS[1])]})
    write_parquet(tmp_path / "x.parquet", rows)
    _, found = analyze_archive(tmp_path / "x.parquet")
    assert {name: row[0] for name, row in found.items()} == {"": "opened", "x.tar": "opened", "x.tar!/a.mid": "ok", "b.mid.gz": "ok"}
    (tmp_path / "y.tar").write_bytes(tar_of({"x.parquet": (tmp_path / "x.parquet").read_bytes()}))
    assert analyze_archive(tmp_path / "y.tar")[0].ok == 2


def test_ranges_end_with_groups(tmp_path):
    """A worker reads only the groups of its range, and says how many rows belong together."""
    write_parquet(tmp_path / "x.parquet", pa.table({"midi": SONGS}))
    data = (tmp_path / "x.parquet").read_bytes()
    report, found = process_task(data, tmp_path, ReadMembers(b"", MemberRange(15, 30)))
    assert set(found) == {f"{i}.mid" for i in range(15, 30)} and (report.group_size, report.is_stream) == (15, False)


def test_several_workers_and_one_give_equal_tables(tmp_path):
    songs = [song(i) for i in range(1500)]
    write_parquet(tmp_path / "x.parquet", pa.table({"midi": songs}), row_group_size=200)
    for workers in (1, 2):
        midiopt.run([tmp_path / "x.parquet"], tmp_path / f"{workers}.db", workers=workers)
    assert tables(tmp_path / "1.db") == tables(tmp_path / "2.db") and len(tables(tmp_path / "1.db")[0]) == 1501


def test_a_dictionary_that_expands(tmp_path):
    """One value, named by many rows, is in memory once; what it expands to is counted."""
    large = SONGS[0] + bytes(20 << 20)
    values = pa.DictionaryArray.from_arrays(pa.array([0] * 2000, pa.int32()), pa.array([large]))
    write_parquet(
        tmp_path / "x.parquet", pa.table({"midi": values}), row_group_size=2000, compression="zstd", dictionary_pagesize_limit=64 << 20
    )
    assert (tmp_path / "x.parquet").stat().st_size < 10_000
    _, found = analyze_archive(tmp_path / "x.parquet")
    assert found[""][:2] == ("rejected", "decompression bomb: expands to more than 200 times its compressed size")


def test_damaged_tables(tmp_path):
    """Whatever the bytes, a table is rejected or its rows have theirs, and the process goes on."""
    rng = random.Random(3)
    rows = pa.table({"name": [f"{i}.mid" for i in range(40)], "midi": SONGS})
    for name in ("snappy.parquet", "file.arrow", "stream.ARROW"):
        WRITERS[name](tmp_path / name, rows)
        whole = (tmp_path / name).read_bytes()
        for _ in range(60):
            data = bytearray(whole)
            if rng.random() < 0.3:
                del data[rng.randrange(len(data)) :]
            for _ in range(rng.choice((1, 3, 30))):
                data[rng.randrange(8, max(9, len(data)))] = rng.randrange(256)
            _, found = process_task(data, tmp_path)
            assert found.get("", ("opened", None))[0] in ("opened", "rejected"), (name, found[""])
            assert all(status != "crashed" for status, _ in found.values()), found


@pytest.mark.parametrize("plaintext_footer", [True, False])
def test_encrypted_tables(plaintext_footer, tmp_path):
    """pyarrow ended the process that read one of them."""
    encryption = pytest.importorskip("pyarrow.parquet.encryption")

    class Keys(encryption.KmsClient):
        def wrap_key(self, key_bytes: bytes, master_key_identifier: str) -> str:
            return key_bytes.hex()

    wanted = encryption.EncryptionConfiguration("footer", column_keys={"midi": ["midi"]}, plaintext_footer=plaintext_footer)
    keys = encryption.CryptoFactory(lambda _: Keys()).file_encryption_properties(encryption.KmsConnectionConfig(), wanted)
    write_parquet(tmp_path / "x.parquet", pa.table({"name": ["a.mid"], "midi": SONGS[:1]}), encryption_properties=keys)
    _, found = analyze_archive(tmp_path / "x.parquet")
    assert found[""][:2] == ("rejected", "encrypted tables are not supported")


def test_without_pyarrow(tmp_path, monkeypatch):
    write_parquet(tmp_path / "x.parquet", pa.table({"midi": SONGS}))
    data = (tmp_path / "x.parquet").read_bytes()
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    _, found = process_task(data, tmp_path)
    assert found == {"": ("unreadable", "a Parquet or Arrow file needs an extra package: pip install 'midiopt[arrow]'")}
