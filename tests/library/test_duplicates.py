"""midiopt duplicates, as a user starts it, over both databases."""

from __future__ import annotations

import json
from pathlib import Path

import midiopt
from tests.helpers.archives import zip_of
from tests.helpers.processes import call
from tests.helpers.songs import song, write_songs


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
    done = call("duplicates", "--db", url, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    groups = found["items"]
    assert found["groups"] == 4 and found["duplicates"] == summary.duplicates
    assert [group["files"] for group in groups] == [4, 3, 3, 2]
    assert groups[1]["size_bytes"] > groups[2]["size_bytes"]
    assert groups[0]["paths"] == [str(folder / str(copy) / "1.mid") for copy in range(4)]
    assert sum(group["files"] - 1 for group in groups) == summary.duplicates
    done = call("duplicates", "--db", url)
    assert done.stderr.startswith(f"4 groups; {summary.duplicates} files beyond the first of each, ")
    shown = done.stdout
    assert all(path in shown for group in groups for path in group["paths"])


def paths_of(url: str, *options: str) -> list[list[str]]:
    """The paths of each group, below the folder of the test."""
    done = call("duplicates", "--db", url, "--json", *options)
    assert done.returncode == 0, done.stderr
    return [[Path(path).name for path in group["paths"]] for group in json.loads(done.stdout)["items"]]


def write(folder: Path, *names: str, seed: int = 1) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(song(seed))
    return folder


def test_missing_and_moved_files_are_left_out(tmp_path, url):
    """Else whoever deletes all but the first one deletes the music."""
    music = write(tmp_path / "music", "a.mid", "b.mid", "c.mid")
    write(music, "x.mid", seed=2)
    midiopt.run([music], url)
    (music / "a.mid").unlink()
    (music / "x.mid").rename(music / "moved.mid")
    midiopt.run([music], url)
    assert paths_of(url) == [["b.mid", "c.mid"]]
    done = call("duplicates", "--db", url, "--jsonl", "--missing")
    groups = [json.loads(line) for line in done.stdout.splitlines()]
    assert [[Path(path).name for path in (*group["paths"], *group["missing"])] for group in groups] == [
        ["b.mid", "c.mid", "a.mid"],
        ["moved.mid", "x.mid"],
    ]
    shown = call("duplicates", "--db", url, "--missing").stdout
    assert f"{music}/a.mid (missing)" in shown and f"{music}/b.mid\n" in shown


def test_files_that_have_gone_or_changed_since_the_run_are_left_out(tmp_path, url):
    music = write(tmp_path / "music", "a.mid", "b.mid", "c.mid", "d.mid")
    write(music, "x.mid", "y.mid", seed=2)
    midiopt.run([music], url)
    (music / "a.mid").unlink()
    (music / "b.mid").write_bytes(song(3))
    (music / "x.mid").unlink()
    assert paths_of(url) == [["c.mid", "d.mid"]]
    music.rename(tmp_path / "away")
    assert len(paths_of(url)) == 2, "on a computer without the files the database is believed"


def test_names_of_one_file_are_one_copy(tmp_path, url):
    """A link that comes first would be kept, and the file that it leads to deleted."""
    music = write(tmp_path / "music", "m.mid", "n.mid")
    (music / "a.mid").symlink_to(music / "m.mid")
    (music / "hard.mid").hardlink_to(music / "n.mid")
    (tmp_path / "linked").symlink_to(music)
    midiopt.run([music, tmp_path / "linked" / "m.mid"], url, follow_links=True)
    [group] = json.loads(call("duplicates", "--db", url, "--json").stdout)["items"]
    assert group["paths"] == [str(music / name) for name in ("hard.mid", "m.mid")]
    assert group["links"] == [str(tmp_path / "linked" / "m.mid"), *(str(music / name) for name in ("a.mid", "n.mid"))]
    (music / "n.mid").unlink()
    (music / "hard.mid").unlink()
    assert paths_of(url) == []


def test_members_of_archives_are_copies_while_their_archive_is_there(tmp_path, url):
    music = write(tmp_path / "music", "a.mid")
    (music / "b.zip").write_bytes(zip_of({"x.mid": song(1), "y.mid": song(1)}))
    midiopt.run([music], url)
    assert paths_of(url) == [["a.mid", "x.mid", "y.mid"]]
    (music / "b.zip").unlink()
    assert paths_of(url) == []


def test_a_library_without_copies_says_so(tmp_path, url):
    """A heading above nothing looked like a list that had been cut off."""
    midiopt.run([write_songs(tmp_path / "music", 2)], url)
    for option, said in (((), "no file has the bytes of another\n"), (("--near",), "no file is a near-duplicate of another\n")):
        done = call("duplicates", "--db", url, *option)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", said)
        assert json.loads(call("duplicates", "--db", url, *option, "--json").stdout)["items"] == []
