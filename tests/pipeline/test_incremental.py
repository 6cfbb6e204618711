"""Another run into the same database: what has disappeared, what an older analyser made, and the log."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import midiopt
from midiopt.pipeline import prune, run
from midiopt.pipeline.file_index import Known
from midiopt.schema import ANALYZER_VERSION
from midiopt.sources.walk import Source
from tests.helpers.archives import tar_of, zip_of
from tests.helpers.batches import query
from tests.helpers.songs import song, write_songs

SAMPLE = Path(__file__).parents[2] / "sample" / "midi"


def paths(url) -> list[str]:
    return [path for (path,) in query(url, "SELECT path FROM files ORDER BY path")]


def test_what_has_disappeared_is_told_and_deleted_only_when_asked(tmp_path, url):
    music, other = write_songs(tmp_path / "music", 450), write_songs(tmp_path / "music-more", 3)
    beside = tmp_path / "one.mid"
    beside.write_bytes(song(1000))
    midiopt.run([music, other, beside], url)
    everything = paths(url)
    shutil.rmtree(music / "001")
    lost = music / "000" / "00007.mid"
    lost.unlink()
    (music / "000" / "00008.mid").write_bytes(song(2000))  # changed, and so not gone
    shutil.rmtree(other)
    beside.unlink()

    summary = midiopt.run([music], url)
    assert (summary.gone, summary.files, summary.skipped, summary.ok) == (201, 249, 248, 1)
    assert paths(url) == everything, "nobody asked for deleting"
    assert query(url, "SELECT gone FROM runs ORDER BY id DESC LIMIT 1") == [(201,)]

    summary = run.run([music], url, prune=True)
    assert summary.gone == 201
    left = [path for path in everything if not path.startswith(f"{music}/001/") and path != str(lost)]
    assert paths(url) == left, "only below the folder that was named"
    assert query(url, "SELECT count(*) FROM analyses") == [(len(left) - 3,)], "three of them are copies"
    assert midiopt.run([music], url).gone == 0


def songs_named(*names: str) -> dict[str, bytes]:
    return {name: song(sum(name.encode())) for name in names}


@pytest.mark.parametrize("count", [3, 300])
@pytest.mark.parametrize("make", [zip_of, lambda files: tar_of(files, "w:gz")], ids=["zip", "tar.gz"])
def test_members_that_a_changed_archive_no_longer_has(tmp_path, url, make, count):
    """As files that have disappeared, whether it is named or lies in a folder, in one piece or several."""
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
    lost = {"000.mid", "a.zip!/in/y.mid", "b.tgz", "b.tgz!/in/x.mid", "b.tgz!/in/y.mid"}
    lost = {f"{archive}!/{name}" for archive in (music / "a.zip", other) for name in lost}

    log = tmp_path / "run.log"
    for _ in range(2):  # while their rows stay they are told again
        summary = run.run([music, other], url, log=log)
        assert (summary.gone, summary.opened) == (10, 4) and summary.ok == 2 * (count + 1)
        assert {line["path"] for line in lines(log)[-20:] if line["event"] == "gone"} == lost
        assert set(paths(url)) == {*everything, f"{music}/a.zip!/new.mid", f"{other}!/new.mid"}, "nobody asked for deleting"
        assert query(url, f"SELECT error FROM files WHERE path = '{other}'") == [("5 of its members are gone; their rows are kept",)]

    assert run.run([music, other], url, prune=True).gone == 10
    assert set(paths(url)) == {*everything, f"{music}/a.zip!/new.mid", f"{other}!/new.mid"} - lost
    assert query(url, f"SELECT status, error FROM files WHERE path = '{other}'") == [("opened", None)]
    again = run.run([music, other], url, prune=True)
    assert (again.gone, again.skipped, again.files) == (0, 2, 2)

    (music / "a.zip").unlink()
    below = [path for path in paths(url) if path.startswith(str(music))]
    assert run.run([music, other], url, prune=True).gone == len(below)
    assert {path for path in paths(url) if path.startswith(str(music))} == set()


def test_an_archive_that_cannot_be_read_says_nothing_of_its_members(tmp_path, url):
    """Neither one that is cut short, nor one inside another."""
    inner, path = zip_of(songs_named("x.mid", "y.mid")), tmp_path / "a.tar"
    path.write_bytes(tar_of(songs_named("a.mid") | {"in.zip": inner} | songs_named("b.mid")))
    midiopt.run([path], url)
    everything = paths(url)
    path.write_bytes(tar_of(songs_named("a.mid") | {"in.zip": inner} | songs_named("b.mid"))[:-9000])
    summary = run.run([path], url, prune=True)
    assert (summary.rejected, summary.gone, paths(url)) == (1, 0, everything)
    path.write_bytes(tar_of({"in.zip": inner[:-30]} | songs_named("b.mid")))
    summary = run.run([path], url, prune=True)
    assert (summary.opened, summary.rejected, summary.gone) == (1, 1, 1)
    assert paths(url) == [name for name in everything if not name.endswith("a.mid")]


def test_nothing_has_disappeared_from_where_nobody_could_look(tmp_path):
    music, db = write_songs(tmp_path / "music", 250), tmp_path / "x.db"
    midiopt.run([music], db)
    (music / "000").rename(tmp_path / "away")
    (music / "000").symlink_to(tmp_path / "away")  # a link is not followed, but the paths are still there
    (music / "001" / "00200.mid").rename(music / "001" / "00200.txt")
    summary = run.run([music], db, prune=True)
    assert (summary.files, summary.gone) == (49, 1)
    assert len(paths(str(db))) == 249


def test_an_interrupted_run_calls_nothing_gone(tmp_path, monkeypatch):
    """The walk has not met what comes after the interrupt."""
    music, db = write_songs(tmp_path / "music", 600), tmp_path / "x.db"
    midiopt.run([music], db)
    shutil.rmtree(music / "002")
    chunks = Source.chunks

    def interrupted(self):
        os.kill(os.getpid(), signal.SIGINT)
        return chunks(self)

    monkeypatch.setattr(Source, "chunks", interrupted)
    summary = run.run([music], db, prune=True)
    assert summary.interrupted and summary.gone == 0 and len(paths(str(db))) == 600


def test_a_signal_is_heard_while_what_is_gone_is_looked_for(tmp_path, url, monkeypatch):
    music = write_songs(tmp_path / "music", 250)
    midiopt.run([music], url)
    shutil.rmtree(music / "000")
    exists = prune._exists

    def interrupted(path):
        signal.raise_signal(signal.SIGINT)
        monkeypatch.setattr(prune, "_exists", exists)
        return exists(path)

    monkeypatch.setattr(prune, "_exists", interrupted)
    summary = run.run([music], url, prune=True)
    assert (summary.interrupted, summary.gone, len(paths(url))) == (signal.SIGINT, 0, 250)
    assert run.run([music], url, prune=True).gone == 200


def test_a_newer_analyser_analyses_again_unless_told_not_to(tmp_path, url):
    music = write_songs(tmp_path / "music", 30)
    midiopt.run([music], url)
    query(url, f"UPDATE files SET analyzer_version = {ANALYZER_VERSION - 1} WHERE path LIKE '%00007.mid' OR path LIKE '%00008.mid'")
    query(url, f"UPDATE analyses SET analyzer_version = {ANALYZER_VERSION - 1}, note_count = 0")
    query(url, f"UPDATE files SET analyzer_version = {ANALYZER_VERSION + 1} WHERE path LIKE '%00009.mid'")
    assert run.run([music], url, keep_old=True).skipped == 30
    assert midiopt.run([music], url).skipped == 28
    counted = "SELECT count(*) FROM analyses WHERE note_count > 0"
    assert query(url, counted) == [(2,)]
    assert query(url, f"SELECT count(*) FROM files WHERE analyzer_version = {ANALYZER_VERSION}") == [(29,)]


def test_known_tells_changes_and_remembers_what_it_met(tmp_path):
    def stamp(name: str, size: int, mtime_ns: int) -> str:
        path = tmp_path / name
        path.write_bytes(bytes(size))
        os.utime(path, ns=(0, mtime_ns))
        return str(path)

    now = 1_600_000_000_000_000_001
    same, shorter, earlier, unsettled, new = (stamp(name, 10, now) for name in ("same", "shorter", "earlier", "unsettled", "new"))
    old, oldest = stamp("old", 0, 0), stamp("oldest", 1, -(10**18) - 1)
    gone = str(tmp_path / "gone")
    known = Known(
        [[(same, 10, now, True), (shorter, 11, now, 1), (earlier, 10, now + 1, True)], [(unsettled, 10, now, False), (old, 0, 0, 0)]]
    )
    asked = [same, shorter, earlier, unsettled, new, old, gone]
    assert known(list(map(os.fsencode, asked))) == [True, *[False] * 6]
    assert known.has_met([*asked, "/other"]) == [True, True, True, True, False, True, False, False]
    known = Known([[(old, 0, 0, True), (oldest, 1, -(10**18) - 1, True), (gone, 0, 0, True), (same, -1, 0, False)]])
    assert known(list(map(os.fsencode, [old, oldest, gone, same]))) == [True, True, False, False]
    assert not len(Known([]))


def test_a_signal_is_heard_while_nothing_new_is_found(tmp_path, url, monkeypatch):
    music = write_songs(tmp_path / "music", 1000)
    midiopt.run([music], url)
    monkeypatch.setattr("midiopt.sources.walk.ASKED", 10)
    monkeypatch.setattr("midiopt.sources.walk.SIGN_EVERY", 0)
    ask = Known.__call__

    def interrupted(known, paths):
        signal.raise_signal(signal.SIGINT)
        monkeypatch.setattr(Known, "__call__", ask)
        return known(paths)

    monkeypatch.setattr(Known, "__call__", interrupted)
    summary = midiopt.run([music], url)
    assert summary.interrupted == signal.SIGINT and summary.skipped == summary.files == 10
    assert query(url, "SELECT outcome, files FROM runs ORDER BY id DESC LIMIT 1") == [("interrupted", 10)]
    assert midiopt.run([music], url).skipped == 1000


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_log_has_what_is_not_ok_and_what_happened(tmp_path, url):
    log = tmp_path / "run.log"
    summary = run.run([SAMPLE], url, log=log, batch_size=10)
    told = lines(log)
    assert [told[0]["event"], told[-1]["event"]] == ["start", "end"]
    assert told[0]["sources"] == [str(SAMPLE)] and told[0]["options"]["batch_size"] == 10
    assert (told[-1]["outcome"], told[-1]["files"], told[-1]["ok"]) == ("finished", summary.files, summary.ok)
    batches = [line for line in told if line["event"] == "batch"]
    assert sum(batch["files"] for batch in batches) == summary.files
    files = sorted((line["path"], line["status"], line["error"], line["size_bytes"]) for line in told if line["event"] == "file")
    assert files == sorted(query(url, "SELECT path, status, error, size_bytes FROM files WHERE status <> 'ok'")) and len(files) >= 2
    assert all(line["time"].startswith("20") and line["time"].endswith("+00:00") for line in told)
    run.run([SAMPLE], url, log=log)
    assert lines(log)[: len(told)] == told and lines(log)[-1]["skipped"] > 0, "it is appended to"


def test_the_log_names_what_is_gone_and_how_a_run_failed(tmp_path, monkeypatch):
    music, db, log = write_songs(tmp_path / "music", 3), tmp_path / "x.db", tmp_path / "run.log"
    midiopt.run([music], db)
    (music / "000" / "00001.mid").unlink()
    run.run([music], db, log=log, prune=True)
    [gone] = [line for line in lines(log) if line["event"] == "gone"]
    assert (gone["path"], gone["deleted"]) == (str(music / "000" / "00001.mid"), True)
    monkeypatch.setattr("midiopt.sources.walk.Source.chunks", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run.run([music], db, log=log)
    assert (lines(log)[-1]["outcome"], lines(log)[-1]["error"]) == ("failed", "division by zero")


def test_the_log_tells_what_was_tried_again(tmp_path):
    music, log = write_songs(tmp_path / "music", 3000), tmp_path / "run.log"
    command = [sys.executable, "-m", "midiopt", "analyze", music, "--db", tmp_path / "x.db", "--log", log, "--workers", "2", "--quiet"]
    run = subprocess.Popen(command)
    while not (workers := Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()):
        time.sleep(0.01)
    os.kill(int(workers[0]), signal.SIGKILL)
    assert run.wait() == 0
    told = lines(log)
    assert [line["reason"] for line in told if line["event"] == "retry"] == ["a worker ended: SIGKILL"]
    assert told[-1]["ok"] == 3000


def analyze(*arguments) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "midiopt", "analyze", *map(str, arguments)], capture_output=True, text=True, timeout=120)


def test_passwords_are_in_no_log(tmp_path, pg_url):
    """One that works, and one that does not."""
    log = tmp_path / "run.log"
    for url, code in ((f"{pg_url}&password=s3cret", 0), ("postgresql://me:s3cret@127.0.0.1:1/nothing", 1)):
        done = analyze(SAMPLE, "--db", url, "--log", log)
        assert done.returncode == code, done.stderr
        assert "s3cret" not in log.read_text() + done.stderr + done.stdout
    told = finish_status(f"{pg_url}&password=s3cret")
    assert "s3cret" not in told
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
    assert done.returncode == 0 and "the log /dev/full is not whole: " in done.stderr and "Traceback" not in done.stderr
