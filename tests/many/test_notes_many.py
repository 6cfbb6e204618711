"""midiopt.notes_many: the notes of each file, in the order of the files."""

from __future__ import annotations

import bz2
import gzip
import io
import itertools
import os
import threading
from pathlib import Path

import pytest

import midiopt
from tests.helpers.archives import tar_of, zip_of, zst_of
from tests.helpers.songs import song, write_songs


def pitches(found: midiopt.Notes | midiopt.Failure) -> list[int]:
    assert isinstance(found, midiopt.Notes), found
    return found.pitch.tolist()


@pytest.mark.parametrize("workers", [1, 3])
def test_notes_are_those_of_each_file_in_order(tmp_path: Path, workers: int) -> None:
    paths: list[object] = sorted(write_songs(tmp_path, 250).rglob("*.mid"))
    sources = [*paths, song(3), bytearray(song(4)), io.BytesIO(song(5)), b"RIFF", tmp_path / "none.mid", tmp_path, ""]
    found = list(midiopt.notes_many(sources, workers=workers))
    assert list(map(pitches, found[:253])) == [midiopt.notes(song(seed)).pitch.tolist() for seed in [*range(250), 3, 4, 5]]
    with pytest.raises(midiopt.NotMidi) as not_midi:
        midiopt.analyze(b"RIFF")
    assert [(f.source, f.status, f.error) for f in found[253:] if isinstance(f, midiopt.Failure)] == [
        (253, "rejected", str(not_midi.value)),
        (str(tmp_path / "none.mid"), "unreadable", "No such file or directory"),
        (str(tmp_path), "unreadable", "not a regular file"),
        ("", "unreadable", "No such file or directory"),
    ]


def test_a_path_may_be_one_of_a_library(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zip_of({"x/1.mid": song(1), "bad.mid": b"MThd"}))
    (tmp_path / "b.mid.gz").write_bytes(gzip.compress(song(2)))
    (tmp_path / "c\\d.mid").write_bytes(song(3))
    (tmp_path / "d.mid.bz2").write_bytes(bz2.compress(song(4)))
    (tmp_path / "e.mid.ZST").write_bytes(zst_of(song(5)))
    (tmp_path / "f.mid").write_bytes(gzip.compress(song(6)))  # as a web client has left it
    midiopt.run([tmp_path], tmp_path / "x.db", workers=1)
    with midiopt.Library(tmp_path / "x.db") as library:
        paths = sorted(found.path for found in library.search("notes:1.."))
    assert len(paths) == 6
    expected = [midiopt.notes(song(seed)).pitch.tolist() for seed in range(1, 7)]
    assert list(map(pitches, midiopt.notes_many(paths))) == list(map(pitches, map(midiopt.notes, paths))) == expected
    hashes = [midiopt.analyze(path).notes_hash for path in paths]
    assert [f.notes_hash for f in midiopt.analyze_many(paths, workers=1) if isinstance(f, midiopt.Analysis)] == hashes
    bad, none = midiopt.notes_many([f"{tmp_path}/a.zip!/bad.mid", f"{tmp_path}/a.zip!/none.mid"])
    assert isinstance(bad, midiopt.Failure) and bad.status == "rejected"
    assert isinstance(none, midiopt.Failure) and none.status == "unreadable"
    assert list(midiopt.analyze_many([bad.source, none.source], workers=1)) == [bad, none]
    with pytest.raises(midiopt.SourceError, match=r"there is no member none\.mid"):
        midiopt.parse(none.source)
    (tmp_path / "a.tar").write_bytes(tar_of({"1.mid": song(1)}))  # which begins within the 1,024 bytes where songs begin
    with pytest.raises(midiopt.SourceError, match="it is an archive; add the name of a member"):
        midiopt.analyze(tmp_path / "a.tar")
    for read in (midiopt.analyze_many, midiopt.notes_many):
        [archive] = read([tmp_path / "a.tar"], workers=1)
        assert isinstance(archive, midiopt.Failure) and archive.error.startswith("it is an archive"), read
    with pytest.raises(FileNotFoundError):
        midiopt.analyze(f"{tmp_path}/none.zip!/1.mid")


def test_a_path_of_a_library_under_which_there_is_a_pipe_now(tmp_path: Path) -> None:
    """Nobody waits for what may come out of it. (A writer ends the wait of a reader that does.)"""
    pipe, path = tmp_path / "c\\d.mid", str(tmp_path / "c\\x5cd.mid")
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: open(pipe, "wb").close())
    writer.start()
    try:
        for read in (midiopt.notes_many, midiopt.analyze_many):
            assert list(read([path], workers=1)) == [midiopt.Failure(path, "unreadable", "not a regular file")]
        with pytest.raises(OSError, match="not a regular file"):
            midiopt.analyze(path)
    finally:
        os.close(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK))
        writer.join()


@pytest.mark.parametrize(("workers", "ahead"), [(1, 1), (2, 128)])
def test_an_endless_source_is_read_only_a_little_ahead(workers: int, ahead: int) -> None:
    taken = 0

    def contents():
        nonlocal taken
        for data in itertools.cycle([song(1), song(2)]):
            taken += 1
            yield data

    before = threading.active_count()
    found = midiopt.notes_many(contents(), workers=workers)
    for number in range(500):
        next(found)
        assert taken <= number + ahead + 32
    found.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


def test_arguments_are_checked_at_once() -> None:
    with pytest.raises(TypeError, match=r"notes_many\(\) takes many files, .*; notes\(\) takes one"):
        midiopt.notes_many("a.mid")
    with pytest.raises(ValueError, match="workers must be a positive integer, not 0"):
        midiopt.notes_many([], workers=0)
    with pytest.raises(ZeroDivisionError):
        list(midiopt.notes_many((1 // 0 for _ in range(1)), workers=2))
