"""midiopt verify, over both databases."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import midiopt
from tests.helpers.archives import Files, tar_of, zip_of
from tests.helpers.batches import query
from tests.helpers.processes import call, stored_hash
from tests.helpers.songs import song, write_songs

SAMPLE = Path(__file__).parents[2] / "sample" / "midi"


def verify(url, *options) -> tuple[int, list[dict], dict]:
    done = call("verify", "--db", url, "--json", *options)
    assert not done.stderr, done.stderr
    seen = json.loads(done.stdout)
    return done.returncode, seen["items"], {name: seen[name] for name in NOTHING}


NOTHING = dict.fromkeys(("checked", "differing", "changed", "gone", "cut", "unreadable", "crashed", "opened"), 0)


def test_verify_finds_nothing_where_all_is_well(tmp_path, url):
    music = tmp_path / "music"
    shutil.copytree(SAMPLE, music)
    summary = midiopt.run([music], url)
    code, found, seen = verify(url, "--all")
    assert (code, found) == (0, [])
    assert seen == NOTHING | {"checked": summary.files}
    assert verify(url, "--sample", "5")[2]["checked"] == 5
    assert f"{summary.files:,} files checked, 0 values differ" in call("verify", "--db", url).stdout


def test_verify_reports_what_differs(tmp_path, url):
    music = write_songs(tmp_path / "music", 300)
    midiopt.run([music], url)
    at = {i: str(music / f"{i // 200:03}" / f"{i:05}.mid") for i in range(300)}
    content = "(SELECT content_hash FROM files WHERE path = '{}')".format
    query(url, f"UPDATE analyses SET note_count = 7, title = NULL WHERE content_hash = {content(at[3])}")
    query(url, f"UPDATE analyses SET bpm = 1 WHERE content_hash = {content(at[250])}")
    if not url.startswith("sqlite"):
        query(url, "ALTER TABLE files DROP CONSTRAINT files_analysis_id_fkey")
    query(url, f"DELETE FROM analyses WHERE content_hash = {content(at[4])}")
    query(url, f"UPDATE files SET status = 'rejected', error = 'no' WHERE path = '{at[5]}'")
    Path(at[6]).unlink()
    Path(at[7]).write_bytes(song(9000))
    code, found, seen = verify(url, "--all")
    assert code == 1
    hashes = {i: stored_hash(url, Path(at[i]).read_bytes()).hex() for i in (3, 4, 250)}
    assert {(d["key"], d["column"], d["stored"], d["computed"]) for d in found} == {
        (hashes[3], "note_count", 7, 60),
        (hashes[3], "title", None, "Song 3"),
        (hashes[250], "bpm", 1, midiopt.analyze(at[250]).bpm),
        (hashes[4], "the row", None, "there"),
        (at[5], "status", "rejected", "ok"),
        (at[5], "error", "no", None),
    }
    assert {d["path"] for d in found} == {at[i] for i in (3, 4, 5, 250)}
    assert seen == NOTHING | {"checked": 298, "differing": 6, "changed": 1, "gone": 1}
    shown = call("verify", "--db", url, "--all")
    assert shown.returncode == 1 and f"{at[3]}: note_count is 7, and should be 60\n" in shown.stdout
    assert f"{at[3]}: title is missing, and should be Song 3\n" in shown.stdout
    assert f"{at[250]}: bpm is 1, and should be {midiopt.analyze(at[250]).bpm:.8g}\n" in shown.stdout


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
        (stored_hash(url, song(250)).hex(), "note_count", 7, 60),
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
    assert seen["gone"] == at["c.tar"] + 1, "what a run has missed is left out"


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
    shown = call("verify", "--db", url).stdout
    assert "2 not checked: their stored paths are truncated" in shown
    assert "0 unreadable, 1 crashed, 2 opened" in shown
