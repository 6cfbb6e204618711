"""Folders, lists and links as they are in the wild: what is found, once, and what becomes of the rest."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from base64 import b64encode
from pathlib import Path

import pytest

import midiopt
from midiopt.pipeline.worker import Worker
from midiopt.rows.batch import Batch
from midiopt.rows.decode import row_to_dict
from midiopt.schema import FILES
from midiopt.sources import walk
from midiopt.sources.path_set import PathSet
from midiopt.sources.roots import find_roots
from midiopt.sources.sniff import detect_type
from midiopt.sources.walk import Page, WalkStats
from tests.helpers.processes import file_rows
from tests.helpers.songs import song


def found(*arguments, **options) -> list[str]:
    pages = walk.walk(find_roots(arguments), WalkStats(), **options)
    return [os.fsdecode(path) for page in pages for path in page.paths]


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def test_a_huge_folder_is_taken_in_parts(tmp_path, monkeypatch):
    """The first page comes before the folder is read to its end; each part is sorted; each file is found once."""
    monkeypatch.setattr(walk, "MAX_SORTED_ENTRIES", 300)
    touch(*(tmp_path / f"{i:04}.mid" for i in range(2000)))
    pages = walk.walk(find_roots([tmp_path]), WalkStats())
    first = next(pages).paths
    assert len(first) == 300 and first == sorted(first)
    others = {*map(os.fsencode, tmp_path.iterdir())} - {*first}
    for path in others:
        os.rename(path, tmp_path.parent / os.fsdecode(os.path.basename(path)))
    assert sum(len(page.paths) for page in pages) < 1700, "the folder had been read to its end"
    for path in others:
        os.rename(tmp_path.parent / os.fsdecode(os.path.basename(path)), path)
    monkeypatch.undo()
    names = found(tmp_path)
    assert names == sorted(names) and len(names) == 2000


def test_parts_of_a_huge_folder_are_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(walk, "MAX_SORTED_ENTRIES", 7)
    touch(*(tmp_path / f"{i % 3}" / f"{i:03}.mid" for i in range(100)))
    names = found(tmp_path)
    assert sorted(names) == sorted(map(str, tmp_path.rglob("*.mid")))
    for folder in "012":
        own = [n for n in names if f"/{folder}/" in n]
        assert all(own[i : i + 7] == sorted(own[i : i + 7]) for i in range(0, len(own), 7))


def test_a_walk_without_wanted_files_goes_on_yielding(tmp_path):
    """One empty page per folder, so that the run can act meanwhile."""
    touch(*(tmp_path / f"{i}" / "cover.jpg" for i in range(9)))
    stats = WalkStats()
    assert list(walk.walk(find_roots([tmp_path]), stats)) == [Page([])] * 10  # nine and their parent
    assert (stats.found, stats.at_end) == (0, True)


@pytest.fixture
def open_folder():
    """A temporary folder that every user may write."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        yield Path(folder)


# Root may read everything, so it becomes nobody, who may start no workers here: the chunks are analysed in place.
RUN = """
import json, os, sys, midiopt
from midiopt.rows.batch import Batch
from midiopt.rows.decode import row_to_dict
from midiopt.schema import FILES
from midiopt.sources.roots import find_roots
from midiopt.sources.walk import WalkStats, walk
from midiopt.pipeline.worker import Worker
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    roots = find_roots(sys.argv[1:])
except midiopt.SourceError as problem:
    sys.exit(str(problem))
stats = WalkStats()
batches = [Batch.from_bytes(Worker().analyze_files(page.paths)) for page in walk(roots, stats)]
rows = [row_to_dict(FILES, row, batch.heap) for batch in batches for row in batch.files]
print(json.dumps([{row["path"]: (row["status"], row["error"]) for row in rows}, stats.problems]))
"""


def test_what_may_not_be_read(open_folder):
    """A file without permission has its row; a folder without permission is named; the rest is analysed."""
    music = open_folder / "music"
    for i, name in enumerate(("a.mid", "secret.mid", "closed/b.mid", "z.mid")):
        (music / name).parent.mkdir(parents=True, exist_ok=True)
        (music / name).write_bytes(song(i))
    (music / "secret.mid").chmod(0)
    (music / "closed").chmod(0)

    def run(*arguments):
        return subprocess.run([sys.executable, "-c", RUN, *map(str, arguments)], capture_output=True, text=True, timeout=60)

    try:
        done = run(music)
        assert done.returncode == 0, done.stderr
        told, problems = json.loads(done.stdout)
        assert told == {
            f"{music}/a.mid": ["ok", None],
            f"{music}/secret.mid": ["unreadable", "Permission denied"],
            f"{music}/z.mid": ["ok", None],
        }
        assert problems == [f"{music}/closed/: Permission denied"]
        refused = run(music / "closed")
        assert refused.returncode == 1 and refused.stderr == f"the folder '{music}/closed' cannot be read\n"
    finally:
        (music / "closed").chmod(0o755)


def test_fifos_and_devices_are_never_opened(tmp_path):
    """Named in a list or on the command line they get a row; opening the FIFO would end this writer's wait."""
    fifo = tmp_path / "pipe.mid"
    os.mkfifo(fifo)
    (tmp_path / "list").write_text(f"{fifo}\n/dev/zero\n")
    script = f"import os; os.open({str(fifo)!r}, os.O_WRONLY)"
    with subprocess.Popen([sys.executable, "-c", script]) as writer:
        try:
            for workers in (1, 2):
                summary = midiopt.run([tmp_path, f"@{tmp_path}/list", fifo], tmp_path / f"{workers}.db", workers=workers)
                assert (summary.files, summary.unreadable) == (2, 2)
                rows = file_rows(tmp_path / f"{workers}.db", "status, error")
                assert rows == dict.fromkeys([str(fifo), "/dev/zero"], ("unreadable", "not a regular file"))
            assert writer.poll() is None, "someone opened the FIFO"
        finally:
            writer.kill()


def test_links_are_followed_when_asked(tmp_path):
    music, other = tmp_path / "music", tmp_path / "other"
    touch(music / "a.mid", other / "b.mid", other / "deep" / "c.mid")
    (music / "link.mid").symlink_to(music / "a.mid")
    (music / "nowhere.mid").symlink_to(tmp_path / "nothing")
    (music / "linked").symlink_to(other)
    (music / "pipe.mid").symlink_to("/dev/null")
    stats = WalkStats()
    assert [path for page in walk.walk(find_roots([music]), stats) for path in page.paths] == [bytes(music / "a.mid")]
    assert stats.links == 4, "they are counted"
    names = ("a.mid", "link.mid", "linked/b.mid", "linked/deep/c.mid", "nowhere.mid")
    assert found(music, follow_links=True) == [f"{music}/{name}" for name in names]


def test_loops_of_links_end(tmp_path):
    """Every folder is walked once, though n folders that hold links to each other have n! ways through them."""
    for name in "abcdefghij":
        touch(tmp_path / name / "x.mid")
        for other in "abcdefghij":
            (tmp_path / name / f"to-{other}").symlink_to(tmp_path / other)
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "self.mid").symlink_to(tmp_path / "self.mid")
    (tmp_path / "one").symlink_to(tmp_path / "two")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    names = found(tmp_path, follow_links=True)
    assert len(names) == len({os.path.realpath(n) for n in names}) == 11
    db = tmp_path / "x.db"
    midiopt.run([tmp_path], db, workers=1, follow_links=True)
    assert file_rows(db, "status, error")[f"{tmp_path}/self.mid"] == ("unreadable", "Too many levels of symbolic links")


def test_each_path_once(tmp_path):
    """Roots inside roots, folders named twice, lists that repeat: in whatever order they are named."""
    music = tmp_path / "music"
    touch(music / "a.mid", music / "b" / "c.mid", music / "b" / "d.mid", music / "notes")
    (tmp_path / "one").write_text(f"{music}/a.mid\n{music}/b\n{music}/a.mid\n{music}/b/../a.mid\n{tmp_path}/gone.mid\n")
    (tmp_path / "two").write_bytes(f"{music}/b/c.mid\0{tmp_path}/gone.mid\0{music}\0".encode())
    everything = [*(f"{music}/{name}" for name in ("a.mid", "b/c.mid", "b/d.mid", "notes")), f"{tmp_path}/gone.mid"]
    arguments = [music, f"{music}/", f"{music}/b", f"{music}/notes", f"@{tmp_path}/one", f"@{tmp_path}/two"]
    for order in (arguments, arguments[::-1]):
        names = found(*order)
        assert sorted(names) == sorted(everything)
    assert found(music, music) == everything[:3]


def test_a_link_that_is_named_is_a_source_of_its_own(tmp_path):
    """Walking its folder would not have followed it."""
    touch(tmp_path / "real" / "a.mid")
    (tmp_path / "linked").symlink_to(tmp_path / "real")
    assert found(tmp_path, tmp_path / "linked") == [f"{tmp_path}/real/a.mid", f"{tmp_path}/linked/a.mid"]


def test_appledouble_files_are_counted_and_not_analysed(tmp_path):
    touch(tmp_path / "a.mid", tmp_path / "._a.mid", tmp_path / "._notes.txt", tmp_path / "__MACOSX" / "b" / "._c.mid")
    summary = midiopt.run([tmp_path], tmp_path / "x.db", workers=1)
    assert (summary.files, summary.rejected, summary.appledouble) == (1, 1, 2)


def test_a_file_that_goes_between_walk_and_read(tmp_path):
    for i, name in enumerate(("a.mid", "b.mid", "c.mid")):
        (tmp_path / name).write_bytes(song(i))
    paths = list(walk.iter_paths([tmp_path]))
    (tmp_path / "a.mid").unlink()
    (tmp_path / "b.mid").unlink()
    os.mkfifo(tmp_path / "b.mid")
    batch = Batch.from_bytes(Worker().analyze_files(paths))
    told = [row_to_dict(FILES, row, batch.heap) for row in batch.files]
    assert [(r["status"], r["error"]) for r in told] == [
        *(("unreadable", "No such file or directory"), ("unreadable", "not a regular file"), ("ok", None)),
    ]


@pytest.mark.parametrize(
    ("name", "is_more", "expected"),
    [
        ("/sys/devices/system/cpu/online", False, "the file was truncated while it was being read"),
        ("/proc/version", True, "the file system does not say how large the file is"),
    ],
)
def test_a_file_of_another_size_than_it_has(name, is_more, expected):
    """The kernel's own files stand for one that becomes shorter while it is read, and for one of a network that has no size yet."""
    path = Path(name)
    if not path.exists() or (path.stat().st_size < len(path.read_bytes())) != is_more:
        pytest.skip("no such file")
    batch = Batch.from_bytes(Worker().analyze_files([os.fsencode(path)]))
    [row] = [row_to_dict(FILES, row, batch.heap) for row in batch.files]
    assert (row["status"], row["error"]) == ("unreadable", expected)


def test_folders_that_cannot_be_read_are_named_or_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(walk, "MAX_LISTED_PROBLEMS", 2)
    touch(*(tmp_path / f"{i}" / "a.mid" for i in range(6)))
    stats = WalkStats()
    pages = walk.walk(find_roots([tmp_path]), stats)
    assert next(pages).paths == [os.fsencode(tmp_path / "0" / "a.mid")]
    for i in range(1, 6):
        shutil.rmtree(tmp_path / f"{i}")
    assert not any(page.paths for page in pages)
    stats.sum_up_problems()
    assert stats.problems == [*(f"{tmp_path}/{i}/: No such file or directory" for i in (1, 2)), "3 more folders"]


@pytest.mark.parametrize(
    ("data", "noun"),
    [
        (b"<!DOCTYPE html><html><head><title>404</title>", "HTML"),
        (b"\xef\xbb\xbf\r\n <HTML>\n<body>Not found", "HTML"),
        ("\ufeff<html>".encode("utf-16-le"), "HTML"),
        (b"<?xml version='1.0'?><score/>", "XML"),
        ("Grüße\n".encode(), "text"),
        ("\ufeffHello".encode("utf-16-le"), "text"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "WAV audio"),
        (b"ID3\x03\x00", "MP3 audio"),
        (b"\xff\xfb\x90\x00" + bytes(100), "MP3 audio"),
        (b"\x1f\x8b\x08\x00", "gzip data"),
        (b"PK\x03\x04\x14\x00", "a zip archive"),
        (b"Rar!\x1a\x07\x00", "a RAR archive"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00", "a Git LFS pointer, whose file was not downloaded"),
        (b"FORM\0\0\0\x0eXDIRINFO", "an XMI song"),
        (b"\xf0\x41\x10\x42\xf7", "a dump of system-exclusive messages"),
        (b"\xf0\x41\x90\x42\xf7", None),
        (bytes(2000), "zeros"),
        (b"\xff" * 2000, "one byte that repeats"),
        (b"\x1e\x31-lh5-\x10", "an LHA archive"),
        (b"\0\0\0\x20ftypM4A \0", "MP4 audio or video"),
        (b"RIFF\x24\0\0\0MIDSfmt ", "a MIDS song"),
        ("\ufeffMThd\0\0\0\6\0\1\0\2\1\xe0MTrk".encode("utf-16-le"), "a MIDI file saved as UTF-16 text"),
        (b64encode(song(1)), "a MIDI file in base64, as in a mail"),
        (b"Content-Transfer-Encoding: base64\r\n\r\n" + b64encode(song(1)), "a MIDI file in base64, as in a mail"),
        (b"data:audio/midi;base64," + b64encode(song(1)), "a MIDI file in base64, as in a mail"),
        (b"\x01\x02\x03\x04", None),
    ],
)
def test_what_is_not_midi_is_named(data, noun, tmp_path):
    assert detect_type(data[:1024]) == noun
    reason = f"it looks like {noun}: no MThd" if noun else "no MThd"
    with pytest.raises(midiopt.NotMidi, match=f"^{reason}"):
        midiopt.analyze(data)
    (tmp_path / "x.mid").write_bytes(data)
    midiopt.run([tmp_path], tmp_path / "x.db", workers=1)
    status, error = file_rows(tmp_path / "x.db", "status, error")[f"{tmp_path}/x.mid"]
    assert status == "rejected" and error.startswith(reason)


def test_a_current_folder_that_was_deleted(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(midiopt.SourceError, match="the current folder is no longer there"):
        find_roots(["."])


def test_names_are_counted(tmp_path):
    seen = PathSet()
    names = [f"{i}".encode() for i in range(20_000)]
    assert {seen.add(name) for name in names} == {1}
    assert {seen.add(name) for name in names[::100]} == {2}
    assert (seen.add(b"0"), seen.add(b""), len(seen)) == (3, 1, 20_001)


def test_no_names_can_be_made_to_collide():
    """With XXH3-64 without a seed these two do: bytes that equal its default secret multiply the difference by zero."""
    secret = bytes.fromhex("ded46de9839097db")
    one, other = secret + b"aaaa.mid", secret + b"bbbb.mid"
    for length in range(8, 76):
        names = PathSet()
        folder = b"/" * length
        assert [names.add(folder + one), names.add(folder + other)] == [1, 1]
