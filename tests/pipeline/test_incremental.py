"""A second run into the same database: missing files, results of an older analyser, and the log."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import midiopt
from midiopt.errors import Stopped
from midiopt.pipeline.file_index import FileIndex
from midiopt.pipeline.hash_table_writer import SharedHashTableWriter
from midiopt.pipeline.missing import Existence, MissingFiles, PathRange
from midiopt.pipeline.pool import WorkerPool
from midiopt.pipeline.signals import Stop
from midiopt.schema import ANALYZER_VERSION
from midiopt.sinks import open_sink
from tests.helpers.archives import tar_of, zip_of
from tests.helpers.batches import query
from tests.helpers.processes import finish, with_faults, write_faulty
from tests.helpers.songs import song, write_songs

SAMPLE = Path(__file__).parents[2] / "sample" / "midi"


def paths(url) -> list[str]:
    return [path for (path,) in query(url, "SELECT path FROM files ORDER BY path")]


def test_missing_files_are_counted_and_deleted_only_with_prune(tmp_path, url):
    music, other = write_songs(tmp_path / "music", 450), write_songs(tmp_path / "music-more", 3)
    beside = tmp_path / "one.mid"
    beside.write_bytes(song(1000))
    midiopt.run([music, other, beside], url)
    everything = paths(url)
    shutil.rmtree(music / "001")
    missing = music / "000" / "00007.mid"
    missing.unlink()
    (music / "000" / "00008.mid").write_bytes(song(2000))  # changed, not missing
    shutil.rmtree(other)
    beside.unlink()

    summary = midiopt.run([music], url)
    assert (summary.gone, summary.files, summary.skipped, summary.ok) == (201, 249, 248, 1)
    assert paths(url) == everything, "without prune all rows stay"
    assert query(url, "SELECT gone FROM runs ORDER BY id DESC LIMIT 1") == [(201,)]

    summary = midiopt.run([music], url, prune="all")
    assert summary.gone == 201
    left = [path for path in everything if not path.startswith(f"{music}/001/") and path != str(missing)]
    assert paths(url) == left, "only below the given folder"
    assert query(url, "SELECT count(*) FROM analyses") == [(len(left) - 3,)], "three of them are copies"
    assert midiopt.run([music], url).gone == 0


def test_a_disk_that_is_not_mounted_loses_no_row(tmp_path, url):
    """An empty folder, or one that lacks more than a tenth of its files and more than a hundred, keeps its rows; others do not."""
    music, disk = write_songs(tmp_path / "music", 450), write_songs(tmp_path / "disk", 3)
    midiopt.run([music, disk], url)
    everything = paths(url)
    shutil.rmtree(disk)
    disk.mkdir()
    shutil.rmtree(music / "001")
    summary = midiopt.run([music, disk], url, prune=True)
    assert (summary.gone, paths(url)) == (203, everything)
    assert summary.refusals == [
        f"{disk}/ is empty, as if its disk were not mounted; the rows of 3 missing files are kept; --prune=all deletes them",
        f"{music}/: 200 of 450 files are missing, more than a tenth; the rows of 200 missing files are kept; --prune=all deletes them",
    ]
    assert query(url, "SELECT outcome, gone FROM runs ORDER BY id DESC LIMIT 1") == [("finished", 203)]
    assert midiopt.run([music, disk], url, prune="all").gone == 203
    assert len(paths(url)) == 250


def test_a_tenth_of_the_files_and_a_hundred_of_them_are_pruned(tmp_path):
    for count, missing in ((1000, 100), (1010, 101), (150, 100)):
        music, db = write_songs(tmp_path / f"music{count}", count, notes=2), tmp_path / f"{count}.db"
        midiopt.run([music], db)
        for path in sorted(music.rglob("*.mid"))[:missing]:
            path.unlink()
        summary = midiopt.run([music], db, prune=True)
        assert (summary.gone, summary.refusals, len(paths(str(db)))) == (missing, [], count - missing)


def songs_named(*names: str) -> dict[str, bytes]:
    return {name: song(sum(name.encode())) for name in names}


@pytest.mark.parametrize("count", [3, 300])
@pytest.mark.parametrize("make", [zip_of, lambda files: tar_of(files, "w:gz")], ids=["zip", "tar.gz"])
def test_missing_members_of_a_changed_archive(tmp_path, url, make, count):
    """They are treated like missing files, in archives of one task and of several, given as a source and found in a folder."""
    music, other = tmp_path / "music", tmp_path / "other.tgz"
    music.mkdir()
    names = [f"{i:03}.mid" for i in range(count)]
    inner = songs_named("in/x.mid", "in/y.mid")
    whole = songs_named(*names) | {"a.zip": zip_of(inner), "b.tgz": tar_of(inner, "w:gz")}
    for archive in (music / "a.zip", other):
        archive.write_bytes(make(whole))
    midiopt.run([music, other], url)
    everything = paths(url)
    inner.pop("in/y.mid")
    left = songs_named(*names[1:]) | {"a.zip": zip_of(inner), "new.mid": song(1)}
    for archive in (music / "a.zip", other):
        archive.write_bytes(make(left))
    missing = {"000.mid", "a.zip!/in/y.mid", "b.tgz", "b.tgz!/in/x.mid", "b.tgz!/in/y.mid"}
    missing = {f"{archive}!/{name}" for archive in (music / "a.zip", other) for name in missing}

    log = tmp_path / "run.log"
    summary = midiopt.run([music, other], url, log=log)
    assert (summary.gone, summary.opened) == (10, 4) and summary.ok == 2 * (count + 1)
    assert {line["path"] for line in lines(log) if line["event"] == "gone"} == missing
    for skipped in (0, 2):  # they are counted again while their rows stay, though their archives are not opened again
        if skipped:
            summary = midiopt.run([music, other], url)
        assert (summary.gone, summary.skipped) == (10, skipped)
        assert set(paths(url)) == {*everything, f"{music}/a.zip!/new.mid", f"{other}!/new.mid"}, "without prune all rows stay"
        assert {path for (path,) in query(url, "SELECT path FROM files WHERE missing_since IS NOT NULL")} == missing

    summary = midiopt.run([music, other], url, prune=True)
    assert (summary.gone, summary.deleted) == (10, 10)
    assert set(paths(url)) == {*everything, f"{music}/a.zip!/new.mid", f"{other}!/new.mid"} - missing
    assert query(url, f"SELECT status, error FROM files WHERE path = '{other}'") == [("opened", None)]
    again = midiopt.run([music, other], url, prune=True)
    assert (again.gone, again.skipped, again.files) == (0, 2, 2)

    (music / "a.zip").unlink()
    below = [path for path in paths(url) if path.startswith(str(music))]
    assert midiopt.run([music, other], url, prune="all").gone == len(below)
    assert {path for path in paths(url) if path.startswith(str(music))} == set()


def test_members_of_an_unreadable_archive_are_not_missing(tmp_path, url):
    """Whether it is truncated, or nested in another one."""
    inner, path = zip_of(songs_named("x.mid", "y.mid")), tmp_path / "a.tar"
    path.write_bytes(tar_of(songs_named("a.mid") | {"in.zip": inner} | songs_named("b.mid")))
    midiopt.run([path], url)
    everything = paths(url)
    path.write_bytes(tar_of(songs_named("a.mid") | {"in.zip": inner} | songs_named("b.mid"))[:-9000])
    summary = midiopt.run([path], url, prune=True)
    assert (summary.rejected, summary.gone, paths(url)) == (1, 0, everything)
    path.write_bytes(tar_of({"in.zip": inner[:-30]} | songs_named("b.mid")))
    summary = midiopt.run([path], url, prune=True)
    assert (summary.opened, summary.rejected, summary.gone) == (1, 1, 1)
    assert paths(url) == [name for name in everything if not name.endswith("a.mid")]


def test_paths_that_the_walk_does_not_reach_but_that_exist_are_not_missing(tmp_path):
    music, db = write_songs(tmp_path / "music", 250), tmp_path / "x.db"
    midiopt.run([music], db)
    (music / "000").rename(tmp_path / "away")
    (music / "000").symlink_to(tmp_path / "away")  # a link is not followed, but the paths still exist
    (music / "001" / "00200.mid").rename(music / "001" / "00200.txt")
    summary = midiopt.run([music], db, prune=True)
    assert (summary.files, summary.gone) == (49, 1)
    assert len(paths(str(db))) == 249


class Interrupt:
    """A progress display that sends a signal at its first update."""

    def update(self, summary: midiopt.Summary, seconds: float, total: int | None) -> None:
        if not summary.interrupted:
            summary.interrupted = signal.SIGINT
            signal.raise_signal(signal.SIGINT)


def test_an_interrupted_run_finds_no_missing_files(tmp_path, url):
    """It has not walked everything."""
    music = write_songs(tmp_path / "music", 600)
    midiopt.run([music], url)
    shutil.rmtree(music / "002")
    summary = midiopt.run([music], url, prune=True, progress=Interrupt())
    assert (summary.interrupted, summary.gone, len(paths(url))) == (signal.SIGINT, 0, 600)
    assert query(url, "SELECT outcome FROM runs ORDER BY id DESC LIMIT 1") == [("interrupted",)]
    assert midiopt.run([music], url, prune="all").gone == 200


def test_a_signal_stops_the_search_for_missing_files(tmp_path, url):
    """After the files at which it arrives, which are looked up together."""
    music = write_songs(tmp_path / "music", 250)
    midiopt.run([music], url)
    shutil.rmtree(music / "000")
    stop, checked = Stop(), []

    def exist(paths: list[str]) -> list[bool]:
        checked.append(paths)
        stop.request(signal.SIGINT)
        return Existence()(paths)

    with open_sink(url) as sink:
        index = FileIndex(sink.iter_files())
        missing = MissingFiles(sink, index, dt.datetime.now(dt.UTC), stop.is_requested, exist)
        with pytest.raises(Stopped):
            missing.check_folders([PathRange.of_folder(f"{music}/")])
    assert (checked, missing.newly, len(paths(url))) == ([[f"{music}/000/{i:05}.mid" for i in range(64)]], 0, 250)
    assert midiopt.run([music], url, prune="all").gone == 200


def test_a_signal_stops_a_walk_that_finds_nothing_new():
    """The tasks have no end, and the run is asked to stop while the third one is looked for."""
    stop = Stop()
    with contextlib.closing(SharedHashTableWriter()) as table, WorkerPool(midiopt.RunOptions(), table) as pool:
        results = pool.run(itertools.repeat(None), stop)
        assert [next(results), next(results)] == [[], []]
        stop.request(signal.SIGINT)
        assert list(results) == []


def test_results_of_an_older_analyser_are_replaced_unless_kept(tmp_path, url):
    music = write_songs(tmp_path / "music", 30)
    midiopt.run([music], url)
    query(url, f"UPDATE files SET analyzer_version = {ANALYZER_VERSION - 1} WHERE path LIKE '%00007.mid' OR path LIKE '%00008.mid'")
    query(url, f"UPDATE analyses SET analyzer_version = {ANALYZER_VERSION - 1}, note_count = 0")
    query(url, f"UPDATE files SET analyzer_version = {ANALYZER_VERSION + 1} WHERE path LIKE '%00009.mid'")
    assert midiopt.run([music], url, keep_old=True).skipped == 30
    assert midiopt.run([music], url).skipped == 28
    counted = "SELECT count(*) FROM analyses WHERE note_count > 0"
    assert query(url, counted) == [(2,)]
    assert query(url, f"SELECT count(*) FROM files WHERE analyzer_version = {ANALYZER_VERSION}") == [(29,)]


def test_the_index_finds_changes_and_remembers_visits(tmp_path):
    def create(name: str, size: int, mtime_ns: int) -> str:
        path = tmp_path / name
        path.write_bytes(bytes(size))
        os.utime(path, ns=(0, mtime_ns))
        return str(path)

    now = 1_600_000_000_000_000_001
    same, shorter, earlier, unsettled, new = (create(name, 10, now) for name in ("same", "shorter", "earlier", "unsettled", "new"))
    old, oldest = create("old", 0, 0), create("oldest", 1, -(10**18) - 1)
    gone = str(tmp_path / "gone")
    index = FileIndex(
        [[(same, 10, now, True), (shorter, 11, now, True), (earlier, 10, now + 1, True)], [(unsettled, 10, now, False), (old, 0, 0, False)]]
    )
    visited = [same, shorter, earlier, unsettled, new, old, gone]
    assert index.unchanged(list(map(os.fsencode, visited))) == [True, *[False] * 6]
    assert index.was_visited([*visited, "/other"]) == [True, True, True, True, False, True, False, False]
    assert index.all_visited() and index.vanished == [] == index.returned, "what it does not know has not vanished"
    index = FileIndex([[(old, 0, 0, True), (oldest, 1, -(10**18) - 1, True), (gone, 0, 0, True), (same, -1, 0, False)]])
    assert index.unchanged(list(map(os.fsencode, [old, oldest]))) == [True, True]
    assert index.known_but_unvisited([old, gone, same, "/other"]) == [False, True, True, False] and not index.all_visited()
    assert index.unchanged(list(map(os.fsencode, [gone, same]))) == [True, False]
    assert (index.vanished, index.was_visited([gone])) == ([gone], [False]), "its row stays"
    index = FileIndex([[(old, 0, 0, True), (oldest, 1, -(10**18) - 1, True)]], missing=[[old, oldest, "/other"]])
    assert index.all_visited() and index.known_but_unvisited([old, "/other"]) == [False, False]
    assert index.unchanged([os.fsencode(old)]) == [True] and index.returned == [old]
    assert not len(FileIndex([])) and FileIndex([]).all_visited()


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_log_has_the_events_and_the_files_that_are_not_ok(tmp_path, url):
    log = tmp_path / "run.log"
    summary = midiopt.run([SAMPLE], url, log=log, batch_size=10)
    events = lines(log)
    assert [events[0]["event"], events[-1]["event"]] == ["start", "end"]
    assert events[0]["sources"] == [str(SAMPLE)] and events[0]["options"]["batch_size"] == 10
    assert (events[-1]["outcome"], events[-1]["files"], events[-1]["ok"]) == ("finished", summary.files, summary.ok)
    batches = [line for line in events if line["event"] == "batch"]
    assert sum(batch["files"] for batch in batches) == summary.files
    files = sorted((line["path"], line["status"], line["error"], line["size_bytes"]) for line in events if line["event"] == "file")
    assert files == sorted(query(url, "SELECT path, status, error, size_bytes FROM files WHERE status <> 'ok'")) and len(files) >= 2
    assert all(line["time"].startswith("20") and line["time"].endswith("+00:00") for line in events)
    midiopt.run([SAMPLE], url, log=log)
    assert lines(log)[: len(events)] == events and lines(log)[-1]["skipped"] > 0, "the log is appended to"


def test_the_log_has_missing_files_and_the_error_of_a_failed_run(tmp_path):
    music, db, log = write_songs(tmp_path / "music", 3), tmp_path / "x.db", tmp_path / "run.log"
    midiopt.run([music], db)
    (music / "000" / "00001.mid").unlink()
    midiopt.run([music], db, log=log, prune=True)
    told = [(line["event"], line["path"]) for line in lines(log) if "path" in line]
    assert told == [(name, str(music / "000" / "00001.mid")) for name in ("gone", "deleted")]

    class Failing:
        def update(self, summary: midiopt.Summary, seconds: float, total: int | None) -> None:
            raise ZeroDivisionError("division by zero")

    with pytest.raises(ZeroDivisionError):
        midiopt.run([music], db, log=log, progress=Failing())
    assert (lines(log)[-1]["outcome"], lines(log)[-1]["error"]) == ("failed", "division by zero")


def test_the_log_has_the_retries(tmp_path):
    """A file that kills its worker is tried in its task, and then twice alone."""
    music, log = write_songs(tmp_path / "music", 300), tmp_path / "run.log"
    write_faulty(music / "000" / "00100-kill.mid", "kill")
    done = finish(music, "--db", tmp_path / "x.db", "--log", log, "--workers", 2, "--quiet", env=with_faults())
    assert done.returncode == 0, done.stderr
    events = lines(log)
    assert [line["reason"] for line in events if line["event"] == "retry"] == ["a worker ended: SIGKILL"] * 3
    assert (events[-1]["ok"], events[-1]["crashed"]) == (300, 1)


def analyze(*arguments) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "midiopt", "analyze", *map(str, arguments)], capture_output=True, text=True, timeout=120)


def test_passwords_are_in_no_log(tmp_path, pg_url):
    """One that works, and one that does not."""
    log = tmp_path / "run.log"
    for url, code in ((f"{pg_url}&password=s3cret", 0), ("postgresql://me:s3cret@127.0.0.1:1/nothing", 1)):
        done = analyze(SAMPLE, "--db", url, "--log", log)
        assert done.returncode == code, done.stderr
        assert "s3cret" not in log.read_text() + done.stderr + done.stdout
    output = finish_status(f"{pg_url}&password=s3cret")
    assert "s3cret" not in output
    assert "s3cret" not in str(query(pg_url, "SELECT * FROM runs"))


def finish_status(url: str) -> str:
    done = subprocess.run([sys.executable, "-m", "midiopt", "status", "--db", url], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_log_that_cannot_be_written(tmp_path):
    done = analyze(SAMPLE, "--db", tmp_path / "x.db", "--log", tmp_path / "no" / "run.log")
    assert done.returncode == 1 and "cannot write the log" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "x.db").exists()
    done = analyze(SAMPLE, "--db", tmp_path / "x.db", "--log", "/dev/full")
    assert done.returncode == 3 and "the log /dev/full is incomplete: " in done.stderr and "Traceback" not in done.stderr
