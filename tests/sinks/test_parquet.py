"""Parquet directories: what is in them, and what is left of a run that is killed. test_contract.py has what all databases promise."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import random
import shutil
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import midiopt
from midiopt.errors import DatabaseBusy, SinkError
from midiopt.rows.arrow_schema import ROW_COLUMNS
from midiopt.schema import FILES
from midiopt.sinks import open_sink
from tests.helpers import parquet
from tests.helpers.archives import tar_of
from tests.helpers.batches import analysis_row, file_row, make_batch, write
from tests.helpers.processes import finish
from tests.helpers.songs import song, write_songs

pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")

parquet_compact = pytest.importorskip("midiopt.sinks.parquet_compact")
part_task = pytest.importorskip("midiopt.pipeline.part_task")
ParquetSink = pytest.importorskip("midiopt.sinks.parquet").ParquetSink

VOLATILE = {column.name for column in FILES if column.volatile}


@pytest.fixture
def url(tmp_path) -> str:
    return f"parquet:{tmp_path}/facts"


def lasting(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows in the order of their paths, without what differs between runs."""
    kept = ({name: value for name, value in row.items() if name not in VOLATILE} for row in rows)
    return sorted(kept, key=lambda row: row["path"])


def contents(numbers: range, **facts: Any) -> Any:
    """A batch with a file and its analysis for each number."""
    keys = [n.to_bytes(16) for n in numbers]
    files = [file_row(path=f"/{n:05}", content_hash=key, **facts) for n, key in zip(numbers, keys, strict=True)]
    return make_batch(files, [analysis_row(content_hash=key, title=f"song {n}") for n, key in zip(numbers, keys, strict=True)])


def test_a_part_has_the_columns_with_their_meaning_and_unit(url):
    with open_sink(url) as sink:
        write(sink, contents(range(2)))
    [part] = parquet.parts(url)
    schema = pq.read_schema(part)
    assert schema.names == [column.name for column in ROW_COLUMNS]
    for column in ROW_COLUMNS:
        metadata = schema.field(column.name).metadata
        assert (metadata[b"meaning"].decode(), metadata.get(b"unit", b"").decode()) == (column.meaning, column.unit)
    bpm, status = (pq.ParquetFile(part).metadata.row_group(0).column(schema.names.index(name)) for name in ("bpm", "status"))
    assert (bpm.compression, "RLE_DICTIONARY" in bpm.encodings, "RLE_DICTIONARY" in status.encodings) == ("ZSTD", False, True)


def test_a_file_has_its_facts_in_its_row(url):
    files = [file_row(path="/a"), file_row(path="/b"), file_row(path="/c", status="rejected")]
    with open_sink(url) as sink:
        write(sink, make_batch(files, [analysis_row(bpm=99.0)]))
    assert [(row["path"], row["bpm"]) for row in parquet.rows(url)] == [("/a", 99.0), ("/b", 99.0), ("/c", None)]


def test_rows_come_in_parts_of_one_size(url, monkeypatch):
    monkeypatch.setattr("midiopt.sinks.parquet_parts.PART_ROWS", 100)
    with open_sink(url) as sink:
        for start in range(0, 330, 30):
            sink.write(contents(range(start, start + 30)))
        assert len(parquet.parts(url)) == 3
    assert [pq.read_metadata(part).num_rows for part in parquet.parts(url)] == [100, 100, 100, 30]
    assert [row["title"] for row in parquet.rows(url)] == [f"song {n}" for n in range(330)]


def test_a_changed_row_stays_in_its_part(url):
    for start in (0, 10):
        with open_sink(url) as sink:
            write(sink, contents(range(start, start + 10)))
    before = [Path(part).read_bytes() for part in parquet.parts(url)]
    with open_sink(url) as sink:
        write(sink, contents(range(15)))
        assert [Path(part).read_bytes() for part in parquet.parts(url)] == before, "nothing differs"
        write(sink, contents(range(12, 14), size_bytes=99))
    after = [Path(part).read_bytes() for part in parquet.parts(url)]
    assert (after[0] == before[0], after[1] == before[1]) == (True, False)
    assert [(row["path"], row["size_bytes"]) for row in parquet.rows(url)] == [(f"/{n:05}", 99 if n in (12, 13) else 7) for n in range(20)]


def test_a_part_without_statistics_may_have_any_path(url):
    """As other programs write it anew."""
    with open_sink(url) as sink:
        write(sink, contents(range(9)))
    [part] = parquet.parts(url)
    pq.write_table(pq.read_table(part), part, write_statistics=False)
    with open_sink(url) as sink:
        write(sink, contents(range(4, 5), size_bytes=99))
    assert [(row["path"], row["size_bytes"]) for row in parquet.rows(url)] == [(f"/{n:05}", 99 if n == 4 else 7) for n in range(9)]


def test_copies_have_their_facts_wherever_they_are(url, tmp_path, monkeypatch):
    """In a database a copy refers to the facts of the first file; here each row has its own."""
    monkeypatch.setattr("midiopt.sinks.parquet_parts.PART_ROWS", 50)
    write_songs(tmp_path / "a", 100)
    write_songs(tmp_path / "b", 100)
    summary = midiopt.run([tmp_path / "a", tmp_path / "b"], url, workers=2)
    rows = lasting(parquet.rows(url))
    assert (len(rows), summary.duplicates) == (200, 100)
    facts = [{name: row[name] for name in row if name not in ("path", "mtime_ns")} for row in rows]
    assert facts[:100] == facts[100:] and all(row["note_count"] for row in rows)


def test_the_rows_are_those_of_a_database(url, tmp_path):
    songs = write_songs(tmp_path / "songs", 50)
    (songs / "text.mid").write_bytes(b"no MIDI file")
    (songs / "some.tar").write_bytes(tar_of({"one.mid": b"no MIDI file", "two.mid": song(1)}))
    database = str(tmp_path / "songs.db")
    for target in (url, database):
        midiopt.run([songs], target)
    only_here = ("sketch", "content_hash", "missing_since")
    table = midiopt.arrow_table(database, columns=[c.name for c in ROW_COLUMNS if c.name not in only_here])
    rows = [{name: row[name] for name in table.column_names if name not in VOLATILE} for row in parquet.rows(url)]
    expected = [{name: value for name, value in row.items() if name not in VOLATILE} for row in table.to_pylist()]
    assert sorted(rows, key=lambda row: row["path"]) == sorted(expected, key=lambda row: row["path"])


def test_another_run_is_refused(url):
    with open_sink(url), pytest.raises(DatabaseBusy, match="another run"):
        open_sink(url)


@pytest.mark.parametrize("is_deleted", [False, True])
def test_a_directory_that_goes_during_the_run(is_deleted, url, tmp_path):
    """What is left to write must not come into the directory that another run has made in its place."""
    folder, moved = tmp_path / "facts", tmp_path / "moved"
    with contextlib.closing(open_sink(url)) as sink:
        write(sink, contents(range(1)))
        sink.write(contents(range(1, 2)))
        folder.rename(moved)
        if is_deleted:
            shutil.rmtree(moved)
        with open_sink(url) as other:
            write(other, contents(range(2)))
        before = set(folder.iterdir())
        with pytest.raises(SinkError, match="was deleted" if is_deleted else "moved or replaced"):
            sink.flush()
        with pytest.raises(SinkError):
            sink.start_run({})
        assert set(folder.iterdir()) == before
        assert is_deleted or len(list(moved.glob("*.parquet"))) == 1


def test_files_of_other_programs_are_left_alone(url, tmp_path):
    import pyarrow as pa

    folder = tmp_path / "facts"
    folder.mkdir()
    (folder / "readme.txt").write_text("mine")
    open_sink(url).close()
    pq.write_table(pa.table({"a": [1]}), folder / "theirs.parquet")
    with pytest.raises(SinkError, match=r"already has theirs\.parquet, not made by midiopt"):
        open_sink(url)
    (tmp_path / "file").write_text("")
    for name, reason in (("parquet:", "must name a directory"), (f"parquet:{tmp_path}/file", "cannot open the directory")):
        with pytest.raises(SinkError, match=reason):
            open_sink(name)


def test_what_is_damaged_or_newer_is_refused_with_its_name(url):
    with open_sink(url) as sink:
        write(sink, contents(range(3)))
    [part] = map(Path, parquet.parts(url))
    table, data = pq.read_table(part), part.read_bytes()
    part.write_bytes(data[:-20])
    with pytest.raises(SinkError, match=f"{part.name}: .*delete it: its files are then analysed again"):
        open_sink(url)
    pq.write_table(table.replace_schema_metadata({"midiopt.schema_version": "999"}), part)
    with pytest.raises(SinkError, match=r"newer midiopt .*upgrade midiopt"):
        open_sink(url)


def test_a_part_of_an_older_schema_is_upgraded_when_a_row_changes(url):
    with open_sink(url) as sink:
        write(sink, contents(range(3)))
    [part] = parquet.parts(url)
    pq.write_table(pq.read_table(part).drop_columns(["swing", "error"]), part)
    with open_sink(url) as sink:
        write(sink, contents(range(1, 2)))
    assert [row["swing"] for row in parquet.rows(url)] == [None, 0.5, None]


def test_tracks_need_another_database(url, songs):
    with pytest.raises(SinkError, match="--tracks needs an SQLite file or PostgreSQL"):
        midiopt.run([songs], url, tracks=True)


@pytest.mark.parametrize("command", ["status", "search", "duplicates", "verify"])
def test_commands_that_read_say_what_does(url, command):
    arguments = [command, *(["bach"] if command == "search" else []), "--db", url]
    done = subprocess.run([sys.executable, "-m", "midiopt", *arguments], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    assert "DuckDB (SELECT * FROM" in done.stderr and "scan_parquet" in done.stderr


# --- kill -9 ---

SMALL_PARTS = """
import sys
from midiopt.orchestrator import main
from midiopt.sinks import parquet_parts
parquet_parts.PART_ROWS = 150
sys.exit(main())
"""
KILLS = 12
FILES_OF_RUN = 1000
MAX_PARTS_SEEN = 4  # of the seven parts of a run, until it is killed


def test_a_run_killed_at_random_points_is_completed_by_the_next(tmp_path):
    """Each path is in one row, with the facts of a quiet run, whenever someone looks; some runs change rows that are there."""
    songs = write_songs(tmp_path / "songs", FILES_OF_RUN)
    quiet, killed = (f"parquet:{tmp_path}/{name}" for name in ("quiet", "killed"))
    assert finish(songs, "--db", quiet, "--quiet").returncode == 0
    expected = {row["path"]: row for row in lasting(parquet.rows(quiet))}
    rng = random.Random(1)
    partly = kills = 0
    while kills < KILLS:
        command = [sys.executable, "-c", SMALL_PARTS, str(songs), "--db", killed, "--batch-size", "64", "--quiet"]
        seen = {*state_of(killed)}
        enough = len(seen) + rng.randint(1, MAX_PARTS_SEEN)
        run = subprocess.Popen(command, stderr=subprocess.PIPE)
        while run.poll() is None and len(seen) < enough:  # not by the clock: how long a run takes depends on the machine
            time.sleep(0.002)
            seen.update(state_of(killed))
        time.sleep(rng.uniform(0, 0.03))
        run.kill()
        run.communicate()
        if run.returncode == 0:  # it was done: now each file has another time
            for path in songs.rglob("*.mid"):
                os.utime(path, ns=(0, os.stat(path).st_mtime_ns + 1))
            continue
        kills += 1
        rows = parquet.rows(killed) if os.path.isdir(killed.removeprefix("parquet:")) else []
        assert len({row["path"] for row in rows}) == len(rows), "a path in two rows"
        assert without_times(rows) == without_times([expected[row["path"]] for row in rows])
        partly += 0 < len(rows) < FILES_OF_RUN
    assert partly, "no run was killed while it wrote"
    for target in (killed, quiet):
        assert finish(songs, "--db", target, "--quiet").returncode == 0
    assert lasting(parquet.rows(killed)) == lasting(parquet.rows(quiet))
    assert not [name for name in os.listdir(killed.removeprefix("parquet:")) if name.endswith(".tmp")]


def state_of(url: str) -> list[tuple[str, int]]:
    """What shows that a part was written: names and inodes."""
    found = []
    for part in parquet.parts(url):
        with contextlib.suppress(FileNotFoundError):
            found.append((part, os.stat(part).st_ino))
    return found


def without_times(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row | {"mtime_ns": 0} for row in lasting(rows)]


# --- parts that the tasks of an executor write ---


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> Path:
    """Songs, and an archive of more than a range of an executor's task; to be read only."""
    folder = write_songs(tmp_path_factory.mktemp("many"), 1500)
    (folder / "a.tar").write_bytes(tar_of({f"{i}.mid": song(i) for i in range(5000)}))
    return folder


def test_tasks_of_an_executor_write_their_rows(url, many, tmp_path, monkeypatch):
    """The run commits them by a rename; its own rows are those of small tasks. The tables are those of a run without an executor."""
    adopted = []
    monkeypatch.setattr(ParquetSink, "adopt", lambda sink, name, adopt=ParquetSink.adopt: (adopted.append(name), adopt(sink, name)))
    midiopt.run([many], f"parquet:{tmp_path}/single")
    with ThreadPoolExecutor(2) as executor:
        summary = midiopt.run([many], url, executor=executor)
        assert (summary.ok, summary.opened, summary.files) == (6500, 1, 6501) and len(adopted) >= 1
        assert lasting(parquet.rows(url)) == lasting(parquet.rows(f"parquet:{tmp_path}/single"))
        for path in many.rglob("*.mid"):
            os.utime(path, ns=(0, 7 * 10**9))
        again = midiopt.run([many], url, executor=executor)
    assert (again.analysed, again.skipped) == (1500, 1)
    rows = parquet.rows(url)
    assert len(rows) == len({row["path"] for row in rows}) == 6501, "known paths keep their row, whoever writes the new one"
    assert sum(row["mtime_ns"] == 7 * 10**9 for row in rows) == 1500


class Lossy(ThreadPoolExecutor):
    """Loses the first answer whose task has written its rows."""

    lost = 0

    def submit(self, function, *arguments):
        return super().submit(self._call, function, *arguments)

    def _call(self, function, *arguments):
        answer = function(*arguments)
        if answer[1] and not self.lost:
            self.lost += 1
            raise BrokenExecutor
        return answer


def test_lost_answers_leave_no_rows(url, many):
    """A task that was executed twice has one part; what the other one wrote is deleted by the next run."""
    with Lossy(2) as executor:
        midiopt.run([many], url, executor=executor)
        assert executor.lost == 1
    rows, folder = parquet.rows(url), Path(url.removeprefix("parquet:"))
    assert len(rows) == len({row["path"] for row in rows}) == 6501
    assert list(folder.glob(".part-*.tmp"))
    midiopt.run([many], url)
    assert not list(folder.glob(".part-*.tmp")) and len(parquet.rows(url)) == 6501


def test_workers_without_the_directory(url, many, monkeypatch):
    monkeypatch.setattr(part_task, "write_unadopted", lambda folder, rows: ".part-elsewhere.tmp")
    with pytest.raises(SinkError, match="the workers need the same directory"), ThreadPoolExecutor(1) as executor:
        midiopt.run([many], url, executor=executor)


# --- midiopt compact ---


def small_parts(url: str, count: int) -> None:
    """So many parts of ten rows; every second path lies before those of the part before it."""
    for part in range(count):
        with open_sink(url) as sink:
            write(sink, contents(range(1000 - 10 * part, 1010 - 10 * part)))


def compact(url: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "midiopt", "compact", url, *options], capture_output=True, text=True)


def test_compact_joins_small_parts_in_the_order_of_paths(url):
    small_parts(url, 4)
    before = lasting(parquet.rows(url))
    done = compact(url)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith("40 rows in 1 part of "), done
    assert lasting(parquet.rows(url)) == before == [{k: row[k] for k in row if k not in VOLATILE} for row in parquet.rows(url)]
    [part] = parquet.parts(url)
    assert compact(url, "-q").stdout == "" and parquet.parts(url) == [part], "there is nothing to join"
    with open_sink(url) as sink:
        write(sink, contents(range(1)))
    assert len(parquet.rows(url)) == 41, "a new part has a new name"


def test_compact_keeps_the_latest_row_of_a_path(url, tmp_path):
    """Two tasks of a cluster may have had the same file."""
    folder = Path(url.removeprefix("parquet:"))
    for name, size in (("a", 1), ("b", 2)):
        other = f"parquet:{tmp_path}/{name}"
        with open_sink(other) as sink:
            when = dt.datetime(2024, 1, size, tzinfo=dt.UTC)
            write(sink, contents(range(10 * size, 10 * size + 15), size_bytes=size, analyzed_at=when))
        folder.mkdir(exist_ok=True)
        [part] = parquet.parts(other)
        os.rename(part, folder / f"part-{name}.parquet")
    assert "5 older rows of the same paths deleted" in compact(url).stdout
    assert [(row["path"], row["size_bytes"]) for row in parquet.rows(url)] == [(f"/{n:05}", 1 if n < 20 else 2) for n in range(10, 35)]


def test_compact_fills_parts(url, monkeypatch):
    small_parts(url, 7)
    monkeypatch.setattr("midiopt.sinks.parquet_parts.PART_ROWS", 30)
    result = parquet_compact.compact(url.removeprefix("parquet:"))
    assert (result.rows, result.parts_before, result.parts_after) == (70, 7, 3)
    assert [pq.read_metadata(part).num_rows for part in parquet.parts(url)] == [10, 30, 30]


@pytest.mark.parametrize("opens", ["a run", "compact"])
def test_a_compaction_that_was_killed_is_completed(url, monkeypatch, opens):
    small_parts(url, 3)
    before = lasting(parquet.rows(url))

    def killed(parts: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(parquet_compact, "delete_parts", killed)
        parquet_compact.compact(url.removeprefix("parquet:"))
    assert len(parquet.parts(url)) == 4
    open_sink(url).close() if opens == "a run" else compact(url)
    assert len(parquet.parts(url)) == 1 and lasting(parquet.rows(url)) == before


def test_what_cannot_be_compacted_is_told(url, tmp_path):
    assert (done := compact(url)).returncode == 1 and "there is no directory" in done.stderr
    assert (done := compact(str(tmp_path))).returncode == 1 and "has no Parquet files" in done.stderr
    with open_sink(url):
        assert (done := compact(url)).returncode == 1 and "another run is writing" in done.stderr
