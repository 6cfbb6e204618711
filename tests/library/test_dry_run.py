"""midiopt analyze --dry-run: what a run would do, without writing."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import asdict

import pytest

import midiopt
from docs.record_terminal import run_in_terminal
from midiopt.library.dry_run import dry_run
from midiopt.pipeline.options import RunOptions
from midiopt.sinks import open_sink
from tests.helpers.archives import zip_of
from tests.helpers.batches import query
from tests.helpers.processes import finish
from tests.helpers.songs import song, write_songs


def tables(url: str) -> list[list[tuple]]:
    return [query(url, f"SELECT * FROM {name} ORDER BY 1") for name in ("files", "runs", "meta")]


def test_a_dry_run_tells_what_the_run_then_does(tmp_path, url):
    music = write_songs(tmp_path / "music", 250)
    (music / "a.zip").write_bytes(zip_of({"x.mid": song(1000), "y.mid": song(1001)}))
    midiopt.run([music], url)
    kept = music / "001" / "00210.mid"
    kept.rename(tmp_path / "kept")
    midiopt.run([music], url)

    (tmp_path / "kept").rename(kept)  # returned
    (music / "001" / "00211.mid").rename(music / "moved.mid")
    (music / "001" / "00212.mid").unlink()
    (music / "001" / "00213.mid").write_bytes(song(2000))
    (music / "new.mid").write_bytes(song(2001))
    (music / "b.zip").write_bytes(zip_of({"x.mid": song(3000)}))
    (music / "link.mid").symlink_to(kept)
    before = tables(url)
    told = dry_run([music], url, RunOptions(prune=True))
    assert tables(url) == before
    assert (told.new.files, told.changed.files, told.unchanged, told.archives) == (3, 1, 248, 1)
    assert told.new.examples == [str(music / name) for name in ("b.zip", "moved.mid", "new.mid")]
    assert (told.returned.examples, told.changed.examples) == ([str(kept)], [str(music / "001" / "00213.mid")])
    assert told.missing.examples == [str(music / "001" / f"{n:05}.mid") for n in (211, 212)]
    assert (told.moved.examples, told.moved.files) == ([f"{music}/001/00211.mid -> {music}/moved.mid"], 1)
    assert (told.to_prune, told.missing_before, told.links, told.refusals, told.problems) == (2, 0, 1, [], [])

    done = midiopt.run([music], url, prune=True)
    assert (done.deleted, done.moved, done.returned, done.skipped) == (2, 1, 1, told.unchanged)
    assert done.files == told.files + 1, "the member"
    told = dry_run([music], url, RunOptions())
    assert (told.new.files, told.changed.files, told.unchanged, told.missing.files, told.to_prune) == (0, 0, 252, 0, 0)


def test_a_dry_run_fits_a_terminal(tmp_path):
    music = write_songs(tmp_path / "a folder with a long name", 5)
    shown = run_in_terminal([sys.executable, "-m", "midiopt", "analyze", str(music), "--db", "none.db", "--dry-run"], 60, 24)
    first, *lines = shown.splitlines()
    assert first.startswith("dry run") and "…/" in lines[0] and all(len(line) <= 60 for line in lines)


def test_a_dry_run_refuses_what_the_run_would_refuse(tmp_path, url):
    music = write_songs(tmp_path / "music", 3)
    midiopt.run([music], url)
    shutil.rmtree(music)
    music.mkdir()
    told = dry_run([music], url, RunOptions(prune=True))
    assert (told.to_prune, told.missing.files) == (0, 3)
    refusals = midiopt.run([music], url, prune=True).refusals
    assert told.refusals == refusals and len(refusals) == 1
    told = dry_run([music], url, RunOptions(prune="all"))
    assert (told.to_prune, told.missing.files, told.missing_before, told.refusals) == (3, 0, 3, [])


def test_members_of_archives_that_go_and_come_back(tmp_path, url):
    music = tmp_path / "music"
    music.mkdir()
    archive = music / "a.zip"
    archive.write_bytes(zip_of({f"{i}.mid": song(i) for i in range(3)}))
    midiopt.run([music], url)
    archive.rename(tmp_path / "kept")
    assert dry_run([music], url, RunOptions()).missing.files == 4
    midiopt.run([music], url)
    assert dry_run([music], url, RunOptions()).missing_before == 4
    (tmp_path / "kept").rename(archive)
    told = dry_run([music], url, RunOptions(prune=True))
    assert (told.returned.examples, told.unchanged, told.missing_before, told.to_prune) == ([str(archive)], 1, 0, 0)


@pytest.mark.parametrize("exists", [False, True])
def test_a_database_without_files(tmp_path, url, exists):
    """A database that does not exist is not created."""
    music = write_songs(tmp_path / "music", 5)
    if exists:
        open_sink(url).close()
    told = dry_run([music], url, RunOptions(prune=True))
    assert asdict(told)["new"] == {"files": 5, "examples": [str(music / "000" / f"{i:05}.mid") for i in range(3)]}
    assert (told.unchanged, told.missing.files, told.to_prune) == (0, 0, 0)
    if url.startswith("sqlite:") and not exists:
        assert not (tmp_path / "facts.db").exists()


def test_what_the_command_prints(tmp_path):
    music, db = write_songs(tmp_path / "music", 5), tmp_path / "x.db"
    done = finish(music, "--db", db, "--dry-run")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[:2] == [
        f"dry run: nothing is written to {db}",
        f"  {'new':<28}{5:>10}  {music}/000/00000.mid",
    ]
    done = finish(music, tmp_path / "nowhere", "--db", db, "--dry-run", "--json")
    assert done.returncode == 3 and "not read: there is no file or folder" in done.stderr
    found = json.loads(done.stdout)
    assert (found["dry_run"], found["files"], found["new"]["files"]) == (True, 5, 5)
    assert finish(tmp_path / "nowhere", "--db", db, "--dry-run").returncode == 2
    assert not db.exists()
