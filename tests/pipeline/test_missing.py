"""Files that disappear, move and come back: their rows are marked, told, and never deleted by mistake."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

import midiopt
from midiopt.library.dry_run import dry_run
from midiopt.pipeline import prune, run_loop
from midiopt.pipeline.new_files import NewFiles
from midiopt.pipeline.options import RunOptions
from midiopt.sources import walk
from tests.helpers.archives import tar_of, zip_of
from tests.helpers.batches import query
from tests.helpers.songs import song, write_songs


def missing(url: str) -> list[str]:
    """Names below the folder of the test."""
    return [Path(path).name for (path,) in query(url, "SELECT path FROM files WHERE missing_since IS NOT NULL ORDER BY path")]


def in_library(url: str) -> int:
    return query(url, "SELECT count(*) FROM library")[0][0]


def test_a_file_that_disappears_is_marked_and_one_that_comes_back_is_not_analysed(tmp_path, url):
    music = write_songs(tmp_path / "music", 10)
    midiopt.run([music], url)
    before = query(url, "SELECT * FROM files ORDER BY path")
    away = music / "000" / "00003.mid"
    away.rename(tmp_path / "kept")
    assert midiopt.run([music], url).gone == 1
    [(since,)] = query(url, "SELECT missing_since FROM files WHERE missing_since IS NOT NULL")
    assert (missing(url), in_library(url)) == (["00003.mid"], 9)
    again = midiopt.run([music], url)
    assert (again.gone, again.skipped) == (1, 9)
    assert query(url, "SELECT missing_since FROM files WHERE missing_since IS NOT NULL") == [(since,)], "since the first run that missed it"

    (tmp_path / "kept").rename(away)
    back = midiopt.run([music], url)
    assert (back.gone, back.returned, back.skipped, back.analysed) == (0, 1, 10, 0)
    assert query(url, "SELECT * FROM files ORDER BY path") == before and in_library(url) == 10


def test_a_file_that_comes_back_changed_or_could_not_be_analysed(tmp_path, url):
    music = write_songs(tmp_path / "music", 3)
    midiopt.run([music], url)
    query(url, "UPDATE files SET status = 'crashed' WHERE path LIKE '%00001.mid'")
    first, second = music / "000" / "00000.mid", music / "000" / "00001.mid"
    kept = second.read_bytes()
    first.unlink()
    second.unlink()
    assert midiopt.run([music], url).gone == 2
    first.write_bytes(song(99))
    second.write_bytes(kept)
    summary = midiopt.run([music], url)
    assert (summary.ok, summary.gone, summary.returned, missing(url)) == (2, 0, 0, [])


def test_nothing_outside_the_folders_of_the_run_is_marked(tmp_path, url):
    music, other = write_songs(tmp_path / "music", 3), write_songs(tmp_path / "music-more", 3)
    midiopt.run([music, other], url)
    shutil.rmtree(music)
    shutil.rmtree(other)
    music.mkdir()
    assert midiopt.run([music], url).gone == 3
    assert query(url, f"SELECT count(*) FROM files WHERE missing_since IS NOT NULL AND path LIKE '{other}/%'") == [(0,)]


class Yesterday(dt.datetime):
    """A clock that was set back."""

    @classmethod
    def now(cls, tz=None):
        return super().now(tz) - dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("make", "is_set_back"),
    [(zip_of, False), (lambda files: tar_of(files, "w:gz"), False), (zip_of, True)],
    ids=["zip", "tar.gz", "clock set back"],
)
def test_members_go_and_come_back_with_their_archive(tmp_path, url, make, is_set_back, monkeypatch):
    """A member that the archive had lost before stays missing."""
    music = tmp_path / "music"
    music.mkdir()
    archive = music / "a.zip"
    songs = {f"{i}.mid": song(i) for i in range(4)}
    archive.write_bytes(make(songs))
    midiopt.run([music], url)
    archive.write_bytes(make({name: data for name, data in songs.items() if name != "2.mid"}))
    assert midiopt.run([music], url).gone == 1
    if is_set_back:
        monkeypatch.setattr(run_loop, "dt", SimpleNamespace(datetime=Yesterday, timedelta=dt.timedelta, UTC=dt.UTC))
    archive.rename(tmp_path / "kept")
    assert midiopt.run([music], url).gone == 5
    assert in_library(url) == 0
    (tmp_path / "kept").rename(archive)
    back = midiopt.run([music], url)
    assert (back.gone, back.returned, back.skipped, back.opened) == (1, 1, 1, 0)
    assert missing(url) == ["2.mid"]
    archive.write_bytes(make(songs))
    back = midiopt.run([music], url)
    assert (back.gone, back.opened, missing(url)) == (0, 1, [])


def test_a_listed_file_that_has_gone_keeps_its_row(tmp_path, url):
    """A list of files on a disk that is not mounted costs no facts. Members of an archive that has gone were not marked."""
    music, names = write_songs(tmp_path / "music", 3), tmp_path / "list"
    (music / "two.tar").write_bytes(tar_of({"a.mid": song(8), "b.mid": song(9)}))
    names.write_text("\n".join(map(str, [*sorted(music.rglob("*.mid")), music / "two.tar", tmp_path / "never.mid"])))
    assert midiopt.run([f"@{names}"], url).unreadable == 1
    music.rename(tmp_path / "away")
    for prune_it in (False, "all"):
        summary = midiopt.run([f"@{names}"], url, prune=prune_it)
        assert (summary.files, summary.gone, summary.skipped, summary.unreadable, summary.deleted) == (1, 6, 0, 1, 0)
        assert summary.missed == (0 if prune_it else 6)
        assert len(missing(url)) == 6 and query(url, "SELECT count(*) FROM analyses") == [(5,)]
    (tmp_path / "away").rename(music)
    summary = midiopt.run([f"@{names}"], url)
    assert (summary.files, summary.skipped, summary.returned, missing(url)) == (5, 4, 4, [])


def test_moved_files_are_told_as_moved(tmp_path, url):
    """The same bytes at a new path; not at one that has been there all the time, and each new path counts once."""
    music = write_songs(tmp_path / "music", 10)
    folder = music / "000"
    shutil.copy(folder / "00000.mid", folder / "copy.mid")
    shutil.copy(folder / "00001.mid", folder / "another.mid")
    first = midiopt.run([music], url)
    assert (first.moved, first.duplicates) == (0, 2)
    (folder / "00000.mid").unlink()  # its copy was there before
    (folder / "00001.mid").rename(folder / "moved.mid")  # one new path for two that go
    (folder / "another.mid").unlink()
    (folder / "00002.mid").rename(folder / "00003.mid")  # over another file
    (folder / "00004.mid").unlink()
    (music / "new").mkdir()
    (folder / "00005.mid").rename(music / "new" / "05.mid")
    summary = midiopt.run([music], url)
    assert (summary.gone, summary.moved) == (6, 3)
    assert summary.duplicates == 0, "a missing file is none, and has none"
    again = midiopt.run([music], url)
    assert (again.gone, again.moved, again.duplicates) == (6, 0, 0)
    pruned = midiopt.run([music], url, prune=True)
    assert (pruned.gone, pruned.deleted, missing(url)) == (6, 6, [])
    assert midiopt.run([music], url).gone == 0


def test_a_folder_on_another_device_keeps_its_rows(tmp_path, url, monkeypatch):
    """Until all its files are found there."""
    music = write_songs(tmp_path / "music", 4)
    midiopt.run([music], url)
    lost = music / "000" / "00001.mid"
    kept = lost.read_bytes()
    lost.unlink()
    same_disk = prune.device_of
    for other, is_other in (("1 {identity}", False), ("{number} 1", False), ("1 1", True)):
        number, identity = same_disk(prune.PathRange.of_folder(f"{music}/")).split()
        device = other.format(number=number, identity=identity)
        monkeypatch.setattr(prune, "device_of", lambda folder, device=device: device)
        summary = midiopt.run([music], url)
        assert not summary.refusals and missing(url) == ["00001.mid"]
        refusals = midiopt.run([music], url, prune=True).refusals
        told = [f"{music}/ lies on another device than when its files were last all there, as if its disk were not mounted"]
        assert [text.partition(";")[0] for text in refusals] == (told if is_other else [])
        assert missing(url) == (["00001.mid"] if is_other else [])
        if not is_other:
            lost.write_bytes(kept)
            midiopt.run([music], url)
            monkeypatch.setattr(prune, "device_of", same_disk)
            midiopt.run([music], url)
            lost.unlink()
    lost.write_bytes(kept)
    midiopt.run([music], url)
    lost.unlink()
    assert midiopt.run([music], url, prune=True).deleted == 1, "the disk that was copied is the disk now"


def test_rows_of_a_source_that_is_gone(tmp_path, url):
    """A disk that is mounted elsewhere now: no command deleted its rows under the old paths, but one over a folder above them."""
    old, new = write_songs(tmp_path / "old", 300), tmp_path / "new"
    midiopt.run([old], url)
    kept = write_songs(tmp_path / "old2", 3)  # its name begins alike
    midiopt.run([kept], url)
    old.rename(new)
    for prune_option in (False, True):
        assert midiopt.run([old, new], url, prune=prune_option).problems == [f"there is no file or folder '{old}'"]
        assert in_library(url) == 603
    told = dry_run([old, new], url, RunOptions(prune="all"))
    assert (told.to_prune, told.missing.files, told.problems) == (300, 300, [])
    summary = midiopt.run([old, new, tmp_path / "odl"], url, prune="all")
    assert (summary.deleted, summary.skipped, summary.problems) == (300, 300, [f"there is no file or folder '{tmp_path}/odl'"])
    assert in_library(url) == 303
    kept.rename(tmp_path / "moved")
    assert midiopt.run([kept], url, prune="all").deleted == 3, "it may be the only one"
    with pytest.raises(midiopt.SourceError, match="there is no file or folder"):
        midiopt.run([kept], url, prune=True)


@pytest.mark.parametrize("is_mount_point_left", [True, False])
def test_a_disk_that_is_removed_during_a_run(tmp_path, url, monkeypatch, is_mount_point_left):
    """Its files could not be read, or were told as missing, and the run ended with exit code 0 and took the other disk for theirs."""
    music = write_songs(tmp_path / "music", 10)
    midiopt.run([music], url)
    before = query(url, "SELECT key, value FROM meta WHERE key LIKE 'device%'")
    (music / "000" / "00000.mid").write_bytes(song(99))
    (music / "000" / "00001.mid").unlink()
    tasks = NewFiles.tasks

    def remove_then(self):
        yield from list(tasks(self))  # the walk is over, and nothing is analysed
        music.rename(tmp_path / "elsewhere")
        if is_mount_point_left:
            music.mkdir()
            monkeypatch.setattr(walk, "device_of", lambda folder: "1 1")

    monkeypatch.setattr(NewFiles, "tasks", remove_then)
    summary = midiopt.run([music], url, prune=True)
    assert summary.problems == [f"{music}: the folder, or the disk that it lies on, was removed during the run"]
    assert (summary.deleted, missing(url)) == (0, [])
    assert query(url, "SELECT key, value FROM meta WHERE key LIKE 'device%'") == before


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_a_folder_or_fifo_in_the_place_of_a_file(make, tmp_path, url):
    """The walk finds no file there; of an archive that was unpacked into a folder of its name, the members are missing, too."""
    music = write_songs(tmp_path / "music", 2)
    (music / "x.zip").write_bytes(zip_of({"a.mid": song(9)}))
    midiopt.run([music], url)
    for path in (music / "000" / "00000.mid", music / "x.zip"):
        path.unlink()
        make(path)
    assert midiopt.run([music], url).gone == 3
    assert missing(url) == ["00000.mid", "x.zip", "a.mid"]


def test_a_song_in_the_place_of_an_archive(tmp_path, url):
    """A web client undid the compression of the new version, and kept the name: the members are those of the old one."""
    (tmp_path / "x.tar.gz").write_bytes(tar_of({"a.mid": song(1), "b.mid": song(2)}, "w:gz"))
    midiopt.run([tmp_path], url)
    (tmp_path / "x.tar.gz").write_bytes(song(3))
    assert midiopt.run([tmp_path], url).gone == 2
    assert missing(url) == ["a.mid", "b.mid"]


def test_a_link_that_leads_nowhere_is_there(tmp_path, url):
    music = write_songs(tmp_path / "music", 2)
    link, target = music / "000" / "link.mid", tmp_path / "target.mid"
    target.write_bytes(song(9))
    link.symlink_to(target)
    midiopt.run([music], url, follow_links=True)
    target.unlink()
    assert midiopt.run([music], url).gone == 0
    assert midiopt.run([music], url, follow_links=True).unreadable == 1
    assert (os.path.lexists(link), missing(url)) == (True, [])
