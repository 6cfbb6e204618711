"""The commands that read a database: status and duplicates, as a user starts them, over both databases."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

import midiopt
from midiopt.errors import SinkError
from midiopt.library import open_library
from midiopt.schema import STATUSES
from midiopt.sinks import open_sink
from sample.smf import smf, text, track
from tests.helpers.archives import Files, tar_of, zip_of
from tests.helpers.batches import query
from tests.helpers.processes import planted
from tests.helpers.songs import song, write_songs

SAMPLE = Path(__file__).parents[2] / "sample" / "midi"


def finish(*arguments) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "midiopt", *map(str, arguments)], capture_output=True, text=True, timeout=120)


def status(url) -> dict:
    done = finish("status", "--db", url, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_status_counts_what_is_there(url):
    summary = midiopt.run([SAMPLE], url)
    facts = status(url)
    assert {name: about["files"] for name, about in facts["files"].items()} == {name: getattr(summary, name) for name in STATUSES}
    assert facts["duplicates"] == summary.duplicates >= 1
    assert facts["contents"] == summary.ok + summary.repaired - summary.duplicates
    path, error = facts["files"]["rejected"]["example"], facts["files"]["rejected"]["error"]
    with pytest.raises(midiopt.MidiError) as caught:
        midiopt.analyze(path)
    assert str(caught.value) == error

    counted: dict[str, int] = {}
    for p in SAMPLE.rglob("*.*"):
        try:
            names = midiopt.analyze(p).issue_names
        except midiopt.MidiError:
            continue
        for name in names:
            counted[name] = counted.get(name, 0) + 1
    assert {name: about["files"] for name, about in facts["issues"].items()} == counted
    for name, about in facts["issues"].items():
        assert 1 <= len(about["examples"]) <= 3 and all(name in midiopt.analyze(p).issue_names for p in about["examples"])

    sizes = sorted((p.stat().st_size for p in SAMPLE.rglob("*") if p.is_file()), reverse=True)
    assert [file["bytes"] for file in facts["largest"]] == sizes[:5]
    seconds = [file["seconds"] for file in facts["slowest"]]
    assert seconds == sorted(seconds, reverse=True) and len(seconds) == 5 and 0 < seconds[0] < summary.seconds

    run = facts["last_run"]
    assert (run["outcome"], run["error"], run["files"], run["ok"]) == ("finished", None, summary.files, summary.ok)
    assert run["sources"] == [str(SAMPLE)] and run["options"]["batch_size"] == 2048 and run["version"] == midiopt.__version__
    assert run["build"] == midiopt.build_info()["mode"] and run["started"] < run["ended"]


def test_status_as_a_table(url):
    midiopt.run([SAMPLE], url)
    done = finish("status", "--db", url)
    assert done.returncode == 0, done.stderr
    for word in ("rejected", "duplicates", "issues", "slowest", "largest", "last run", "finished", "batch_size 2048"):
        assert word in done.stdout


def test_status_tells_how_a_run_ended(tmp_path, url):
    songs = write_songs(tmp_path / "songs", 2000)
    (songs / "hang.mid").write_bytes(smf([track([(0, text(1, "plant:hang"))])]))  # where it is planted the run never ends
    command = [sys.executable, "-m", "midiopt", "analyze", songs, "--db", url, "--batch-size", "64", "--quiet"]
    run = subprocess.Popen(command, env=planted())
    while not has_files(url):
        assert run.poll() is None
        time.sleep(0.01)
    assert status(url)["last_run"]["outcome"] == "running"
    run.kill()
    run.wait()
    until = time.monotonic() + 30
    while (last := status(url)["last_run"])["outcome"] == "running":  # a server may notice later
        assert time.monotonic() < until
    assert last["outcome"] == "killed" and last["ended"] is None
    assert "killed" in finish("status", "--db", url).stdout

    run = subprocess.Popen(command)
    while query(url, "SELECT count(*) FROM runs") == [(1,)] and run.poll() is None:
        time.sleep(0.01)
    run.send_signal(signal.SIGINT)
    code = run.wait()
    assert status(url)["last_run"]["outcome"] == ("interrupted" if code else "finished")  # it may just have ended
    assert query(url, "SELECT outcome FROM runs WHERE id = 1") == [("killed",)]


def has_files(url) -> bool:
    try:
        return query(url, "SELECT count(*) FROM files")[0][0] > 0
    except Exception:  # no such table, or not yet a database
        return False


def test_a_run_that_fails_says_why(tmp_path, url, monkeypatch):
    monkeypatch.setattr("midiopt.sources.walk.Source.chunks", lambda self: iter([[b"/a"], 1 / 0]))
    with pytest.raises(ZeroDivisionError):
        midiopt.run([SAMPLE], url, workers=1)
    assert (status(url)["last_run"]["outcome"], status(url)["last_run"]["error"]) == ("failed", "division by zero")


def test_duplicates_are_listed_largest_first(tmp_path, url):
    folder = tmp_path / "songs"
    for copies, seed in ((4, 1), (2, 2), (3, 3), (1, 4), (3, 5)):
        for copy in range(copies):
            path = folder / str(copy) / f"{seed}.mid"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(song(seed, notes=60 + seed))
    for copy in "ab":
        (folder / f"{copy}.mid").write_bytes(b"not MIDI")
    summary = midiopt.run([folder], url)
    done = finish("duplicates", "--db", url, "--json")
    assert done.returncode == 0, done.stderr
    groups = [json.loads(line) for line in done.stdout.splitlines()]
    assert [group["files"] for group in groups] == [4, 3, 3, 2]
    assert groups[1]["size_bytes"] > groups[2]["size_bytes"]
    assert groups[0]["paths"] == [str(folder / str(copy) / "1.mid") for copy in range(4)]
    assert sum(group["files"] - 1 for group in groups) == summary.duplicates == status(url)["duplicates"]
    shown = finish("duplicates", "--db", url).stdout
    assert all(path in shown for group in groups for path in group["paths"])


def verify(url, *options) -> tuple[int, list[dict], dict]:
    done = finish("verify", "--db", url, "--json", *options)
    assert not done.stderr, done.stderr
    *found, seen = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, found, seen


NOTHING = dict.fromkeys(("checked", "differing", "changed", "gone", "cut", "unreadable", "crashed", "opened"), 0)


def test_verify_finds_nothing_where_all_is_well(tmp_path, url):
    music = tmp_path / "music"
    shutil.copytree(SAMPLE, music)
    summary = midiopt.run([music], url)
    code, found, seen = verify(url, "--all")
    assert (code, found) == (0, [])
    assert seen == NOTHING | {"checked": summary.files}
    assert verify(url, "--sample", "5")[2]["checked"] == 5
    assert f"{summary.files:,} files checked, 0 values differ" in finish("verify", "--db", url).stdout


def test_verify_reports_what_differs(tmp_path, url):
    music = write_songs(tmp_path / "music", 300)
    midiopt.run([music], url)
    at = {i: str(music / f"{i // 200:03}" / f"{i:05}.mid") for i in range(300)}
    content = "(SELECT content_hash FROM files WHERE path = '{}')".format
    query(url, f"UPDATE analyses SET note_count = 7, title = NULL WHERE content_hash = {content(at[3])}")
    query(url, f"UPDATE analyses SET bpm = 1 WHERE content_hash = {content(at[250])}")
    query(url, f"DELETE FROM analyses WHERE content_hash = {content(at[4])}")
    query(url, f"UPDATE files SET status = 'rejected', error = 'no' WHERE path = '{at[5]}'")
    Path(at[6]).unlink()
    Path(at[7]).write_bytes(song(9000))
    code, found, seen = verify(url, "--all")
    assert code == 1
    hashes = {i: midiopt.analyze(at[i]).content_hash.hex() for i in (3, 4, 250)}
    assert {(d["key"], d["column"], d["stored"], d["computed"]) for d in found} == {
        (hashes[3], "note_count", 7, 60),
        (hashes[3], "title", None, "Song 3"),
        (hashes[250], "bpm", 1, midiopt.analyze(at[250]).bpm),
        (hashes[4], "the row", None, "there"),
        (at[5], "status", "rejected", "ok"),
        (at[5], "error", "no", None),
    }
    assert seen == NOTHING | {"checked": 298, "differing": 6, "changed": 1, "gone": 1}
    shown = finish("verify", "--db", url, "--all")
    assert shown.returncode == 1 and f"analyses {hashes[3]}: note_count is 7, not 60" in shown.stdout


@pytest.fixture
def packed(tmp_path, url) -> dict[str, Files]:
    """What is in the archives of a database, by their names; one of them has another inside, one is damaged."""
    inside = {"in/1.mid": song(900), "in/2.mid": song(901)}
    files = {
        "a.zip": {f"{i:03}.mid": song(i) for i in range(300)},
        "b.tar.gz": {f"{i:03}.mid": song(i) for i in range(200, 500)} | {"in.zip": zip_of(inside)},
        "c.tar": {f"{i:03}.mid": song(i) for i in range(600, 610)} | {"bad.mid": b"<html>"},
    }
    makers = {"a.zip": zip_of, "b.tar.gz": lambda files: tar_of(files, "w:gz"), "c.tar": lambda files: tar_of(files)[:-9000]}
    for name, make in makers.items():
        (tmp_path / name).write_bytes(make(files[name]))
    (tmp_path / "a.zip .mid").write_bytes(song(7))  # its path comes between those of an archive and its members
    midiopt.run([tmp_path / "a.zip .mid", *(tmp_path / name for name in files)], url)
    return files


def checkable(url) -> list[str]:
    return [path for (path,) in query(url, "SELECT path FROM files WHERE status IN ('ok', 'repaired', 'rejected')")]


def test_verify_reads_members_of_archives_again(tmp_path, url, packed):
    everything = len(checkable(url))
    assert everything > 600
    seen = NOTHING | {"checked": everything, "opened": 3, "unreadable": 1}
    assert verify(url, "--all") == (0, [], seen)
    for count in (1, 40, 500):
        assert verify(url, "--sample", str(count)) == (0, [], seen | {"checked": count})
    of = {name: f"{tmp_path}/{name}" for name in packed}
    content = "(SELECT content_hash FROM files WHERE path = '{}')".format
    query(url, f"UPDATE analyses SET note_count = 7 WHERE content_hash = {content(of['a.zip'] + '!/250.mid')}")
    query(url, f"UPDATE files SET status = 'repaired' WHERE path = '{of['b.tar.gz']}!/in.zip!/in/2.mid'")
    query(url, f"UPDATE files SET error = 'why' WHERE path = '{of['c.tar']}'")
    code, found, seen = verify(url, "--all")
    assert (code, seen["checked"]) == (1, everything)
    [rejected] = [d for d in found if d["key"] == of["c.tar"]]
    assert (rejected["column"], rejected["stored"]) == ("error", "why")
    assert {(d["key"], d["column"], d["stored"], d["computed"]) for d in found if d is not rejected} == {
        (midiopt.analyze(song(250)).content_hash.hex(), "note_count", 7, 60),
        (f"{of['b.tar.gz']}!/in.zip!/in/2.mid", "status", "repaired", "ok"),
    }


def test_verify_says_which_archives_changed_and_are_gone(tmp_path, url, packed):
    everything = checkable(url)
    at = {name: sum(path.startswith(f"{tmp_path}/{name}!/") for path in everything) for name in packed}
    (tmp_path / "c.tar").unlink()
    (tmp_path / "a.zip").write_bytes(zip_of(packed["a.zip"] | {"000.mid": song(5000)}))
    query(url, f"DELETE FROM files WHERE path = '{tmp_path}/b.tar.gz'")  # a run that had not finished it
    code, found, seen = verify(url, "--all")
    assert (code, found) == (0, [])
    counted = {"checked": 1 + at["b.tar.gz"], "changed": at["a.zip"], "gone": at["c.tar"] + 1, "opened": 2, "unreadable": 1}
    assert seen == NOTHING | counted, "members are checked whether or not their archive has its row"
    midiopt.run([tmp_path / "a.zip", tmp_path / "b.tar.gz"], url)
    (tmp_path / "a.zip").write_bytes(zip_of({"001.mid": song(1)}))
    midiopt.run([tmp_path / "a.zip"], url)
    code, found, seen = verify(url, "--all")
    assert (code, found, seen["changed"]) == (0, [], 0)
    assert seen["gone"] == at["c.tar"] + 1 + at["a.zip"] - 1, "rows that were kept"


def test_verify_of_an_archive_that_no_run_has_finished(tmp_path, url, packed):
    """Each member is compared with its own row, whatever has become of the archive since."""
    archive = tmp_path / "a.zip"
    query(url, f"DELETE FROM files WHERE path = '{archive}'")
    query(url, f"UPDATE files SET error = 'why' WHERE path = '{archive}!/007.mid'")
    archive.write_bytes(zip_of(packed["a.zip"] | {"000.mid": song(5000) * 2}))
    code, found, seen = verify(url, "--all")
    assert code == 1 and [(d["key"], d["column"]) for d in found] == [(f"{archive}!/007.mid", "error")]
    assert (seen["changed"], seen["gone"], seen["checked"]) == (1, 0, len(checkable(url)) - 1)


def test_verify_says_what_it_cannot_check(tmp_path, url):
    """A path that was cut, and what has no facts: in the summary and in its JSON."""
    folder = tmp_path.joinpath(*["f" * 200] * 10)
    folder.mkdir(parents=True)
    (folder / "long.mid").write_bytes(song(1))
    (folder / "long.tar").write_bytes(tar_of({"1.mid": song(2)}))
    (tmp_path / "short.tar").write_bytes(tar_of({"d/" * 950 + "1.mid": song(3), "2.mid": song(4)}))
    midiopt.run([tmp_path], url)
    query(url, "UPDATE files SET status = 'crashed' WHERE path LIKE '%!/2.mid'")
    assert verify(url, "--all") == (0, [], NOTHING | {"checked": 1, "cut": 2, "crashed": 1, "opened": 2})
    shown = finish("verify", "--db", url).stdout
    assert "2 not checked, whose paths are too long to be kept whole" in shown
    assert "0 unreadable, 1 crashed, 2 opened" in shown


def test_reading_leaves_no_trace(tmp_path):
    """Neither after a finished run nor after a killed one does a reader change or leave a file."""
    db = tmp_path / "facts.db"
    midiopt.run([SAMPLE], db)
    for _ in range(2):
        before = {p.name: p.read_bytes() for p in tmp_path.iterdir() if not p.name.endswith("-shm")}
        times = {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir() if not p.name.endswith("-shm")}
        for name in ("status", "duplicates", "verify"):
            done = finish(name, "--db", db)
            assert done.returncode == 0 and done.stdout, done.stderr
        assert {p.name: p.read_bytes() for p in tmp_path.iterdir() if not p.name.endswith("-shm")} == before
        assert {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir() if not p.name.endswith("-shm")} == times
        code = f"import os; from midiopt.sinks import open_sink; s = open_sink({str(db)!r}); s.start_run({{'started': '', 'version': '',"
        code += " 'build': '', 'sources': [], 'options': '{}'}); os.kill(os.getpid(), 9)"
        subprocess.run([sys.executable, "-c", code])
    assert (tmp_path / "facts.db-wal").exists()


def test_a_database_in_a_folder_that_cannot_be_written():
    """As an ordinary user, whom root becomes after importing what lies in its own folders."""
    read = "with open_library({!r}) as library: print(next(library.rows('SELECT count(*) FROM files'))[0])"
    code = "import os; from midiopt.library import open_library, sqlite; os.geteuid() or os.setuid(65534)\n"
    with tempfile.TemporaryDirectory() as folder:
        db = os.path.join(folder, "facts.db")
        summary = midiopt.run([SAMPLE], db)
        os.chmod(db, 0o444)
        os.chmod(folder, 0o555)
        done = subprocess.run([sys.executable, "-c", code + read.format(db)], capture_output=True, text=True)
        os.chmod(folder, 0o755)
    assert (done.stdout, done.stderr) == (f"{summary.files}\n", "")


def test_databases_that_cannot_be_read(tmp_path, url):
    for name in ("status", "duplicates"):
        done = finish(name, "--db", tmp_path / "none.db")
        assert done.returncode == 1 and "there is no database" in done.stderr and "Traceback" not in done.stderr
    query(url, "CREATE TABLE songs (path text)")
    with pytest.raises(SinkError, match="was not made by midiopt"):
        open_library(url)
    open_sink(url).close()
    query(url, "UPDATE meta SET value = '1' WHERE key = 'schema_version'")
    query(url, "DROP TABLE runs")
    with pytest.raises(SinkError, match="analyze upgrades it"):
        open_library(url)
