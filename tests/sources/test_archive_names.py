"""Names of any bytes, in archives and lists: none ends a run, a later run, a search for missing files or a verification."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import midiopt
from midiopt.library import open_library
from midiopt.library.verify import Verification
from midiopt.pipeline.crashed import crashed_row_message
from midiopt.pipeline.prune import exists
from midiopt.rows.batch import Batch
from midiopt.sources.file_state import FileState
from midiopt.sources.paths import path_text
from midiopt.sources.reader import Reader, stat_many
from tests.helpers.archive_bytes import raw_tar, raw_zip, zip_end, zip_entry, zip_local
from tests.helpers.processes import file_rows, tables
from tests.helpers.songs import song

LZMA = 14
SUFFIXES = [b".mid", b".KAR", b".mid.gz", b".zip", b".tar.gz", b"\0.mid", b"!/x.mid", b"#2.mid"]
LONG = [b"x" * 300, b"y" * 2000]  # for a file system, and for a column
fragments = st.sampled_from([b"\0", b"!/", b"/", b"..", b"\\x00", b"\\", b"\n", b"\xff", b"#2", "é".encode(), b"a.zip", *LONG])
parts = st.lists(fragments | st.binary(max_size=6), max_size=5)
names = st.builds(lambda parts, suffix: b"".join(parts) + suffix, parts, st.sampled_from(SUFFIXES))


def test_a_name_with_nul_whose_member_is_damaged(tmp_path):
    """A zip of one member: LZMA data of 3 bytes, where its header alone has 9."""
    name, data = b"a\0b.mid", b"\x09\x04\x05"
    body = zip_local(name) + data
    directory = zip_entry(name, len(data), 10, 0, 0, method=LZMA)
    (tmp_path / "m").mkdir()
    (tmp_path / "m/x.zip").write_bytes(body + directory + zip_end(1, len(directory), len(body)))
    (tmp_path / "m/good.mid").write_bytes(song(1))
    for _ in range(2):
        summary = midiopt.run([tmp_path / "m"], tmp_path / "x.db", workers=1)
        assert (summary.crashed, summary.interrupted) == (0, 0)
    statuses = {path.removeprefix(f"{tmp_path}/m/"): row[0] for path, row in file_rows(tmp_path / "x.db").items()}
    assert statuses == {"good.mid": "ok", "x.zip": "opened", "x.zip!/a\\x00b.mid": "unreadable"}


def test_a_pax_path_with_nul_in_later_runs(tmp_path):
    archive = tmp_path / "m/x.tar"
    archive.parent.mkdir()
    archive.write_bytes(raw_tar([(b"a\0b.mid", song(1))]))
    for expected in (0, 0):
        summary = midiopt.run([tmp_path / "m"], tmp_path / "x.db", workers=1, prune=True)
        assert summary.gone == expected
    archive.unlink()
    assert midiopt.run([tmp_path / "m"], tmp_path / "x.db", workers=1, prune=True).gone == 2
    assert file_rows(tmp_path / "x.db") == {}


def test_verify_of_a_name_with_nul_in_an_archive_that_is_gone(tmp_path):
    """No file can have the name, so it is no task; joined with others it would become two paths."""
    archive = tmp_path / "x.zip"
    archive.write_bytes(raw_zip([(b"a\0b.mid", song(1)), (b"c.mid", song(2))]))
    midiopt.run([archive], tmp_path / "x.db", workers=1)
    archive.unlink()
    with open_library(tmp_path / "x.db") as library:
        verification = Verification(library)
        assert list(verification.differences()) == []
        assert verification.counts.gone == 2


def test_paths_with_nul_are_not_on_disk(tmp_path):
    """The system's calls end a path at NUL: "x" exists, "x NUL y" does not."""
    path = os.fsencode(tmp_path / "x")
    Path(tmp_path / "x").write_bytes(b"1")
    assert FileState.of(path) and FileState.of(path + b"\0y") is None
    assert memoryview(stat_many([path, path + b"\0y"])).cast("q").tolist()[::2] == [1, -1]
    assert exists(path_text(path)) and not exists(path_text(path + b"\0y")) and exists(path_text(path + b"!/\0y"))
    assert not exists(path_text(path + b"y!/" + b"z" * 300)), "a name that is too long for the disk says nothing about its archive"
    with pytest.raises(OSError, match="NUL"):
        Reader().read(path + b"\0y")
    assert len(Batch.from_bytes(crashed_row_message(path + b"\0y", "test"))) == 1


@pytest.mark.parametrize("year", [-9_000_000_000, 9_000_000_000, 10_413_792_000, -11_676_096_000])
def test_times_that_no_column_holds(year, tmp_path):
    """Seconds since 1970 that are years before 1677 or after 2262: stored as the nearest that fits, by every reader."""
    for name, data in (("a.mid", song(1)), ("x.zip", raw_zip([(b"b.mid", song(2))]))):
        (tmp_path / name).write_bytes(data)
        os.utime(tmp_path / name, (year, year))
    expected = max(1 - 2**63, min(os.stat(tmp_path / "a.mid").st_mtime_ns, 2**63 - 1))
    for skipped in (0, 2):
        summary = midiopt.run([tmp_path / "a.mid", tmp_path / "x.zip"], tmp_path / "x.db", workers=1)
        assert (summary.crashed, summary.skipped) == (0, skipped)
    found = file_rows(tmp_path / "x.db", "mtime_ns")
    assert found[f"{tmp_path}/a.mid"] == found[f"{tmp_path}/x.zip"] == (expected,)


@given(st.lists(names, min_size=1, max_size=30), st.lists(st.binary(max_size=40), max_size=5), st.sampled_from([raw_zip, raw_tar]))
@settings(max_examples=12, deadline=None)
def test_no_name_ends_a_run(members, lines, make):
    """First run, second run, verification, and a run with prune when the archive is gone."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "m").mkdir()
        archive = root / "m/x.zip"
        archive.write_bytes(make([(name, song(i % 3)) for i, name in enumerate(members)]))
        prefix = os.fsencode(f"{root}/m/")
        (root / "list").write_bytes(b"\n".join([prefix + line.replace(b"/", b"_") for line in lines] + [os.fsencode(archive)]))
        sources, db = [root / "m", f"@{root}/list"], str(root / "x.db")
        first = midiopt.run(sources, db, workers=1)
        assert first.crashed == 0 and first.opened >= 1
        before = tables(db)
        assert {path for path, *_ in before[0] if "!/" in path} >= {path_text(prefix + b"x.zip!/" + name) for name in members}
        second = midiopt.run(sources, db, workers=1)
        assert (second.gone, second.ok) == (0, 0) and tables(db) == before
        with open_library(db) as library:
            verification = Verification(library, None)
            assert list(verification.differences()) == []
            assert verification.counts.checked >= first.ok
        archive.unlink()
        last = midiopt.run([root / "m"], db, workers=1, prune=True)
        assert last.crashed == 0
        assert [path for path, *_ in tables(db)[0] if path.startswith(path_text(prefix + b"x.zip!/"))] == []
