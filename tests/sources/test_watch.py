"""Waiting for changes in folders, by inotify and by searching: every change that a run would find, and no other."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from midiopt.sources import watch as watching
from midiopt.sources.watch import InotifyWatch, PollingWatch

WATCHES = [pytest.param(InotifyWatch, marks=pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")), PollingWatch]


@pytest.fixture(params=WATCHES)
def make_watch(request, monkeypatch):
    monkeypatch.setattr(watching, "POLL_INTERVAL", 0.02)
    opened = []

    def make(*roots: Path, follow_links: bool = False):
        opened.append(request.param([os.fsencode(root) for root in roots], follow_links))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def music(tmp_path) -> Path:
    (tmp_path / "music" / "sub").mkdir(parents=True)
    (tmp_path / "music" / "sub" / "a.mid").write_bytes(b"a")
    return tmp_path / "music"


def test_every_change_of_a_file(make_watch, music):
    watch = make_watch(music)
    assert not watch.changed(0.1)
    a, b = music / "sub" / "a.mid", music / "b.zip"
    for change in (
        lambda: b.write_bytes(b"new"),
        lambda: a.write_bytes(b"longer"),
        lambda: os.utime(a, (5, 5)),
        lambda: b.rename(music / "c.zip"),
        a.unlink,
    ):
        change()
        assert watch.changed(5)
        while watch.changed(0.05):  # one change may be several events
            pass


def test_changes_in_new_folders(make_watch, music):
    watch = make_watch(music)
    (music / "new" / "deep").mkdir(parents=True)
    while watch.changed(0.1):
        pass
    (music / "new" / "deep" / "x.mid").write_bytes(b"x")
    assert watch.changed(5)
    while watch.changed(0.1):
        pass
    shutil.rmtree(music / "new")
    assert watch.changed(5)


def test_other_names_change_nothing(make_watch, music):
    watch = make_watch(music)
    for name in ("midiopt.db", "midiopt.db-wal", "run.log", "song.mid.part"):
        (music / name).write_bytes(b"x")
    assert not watch.changed(0.1)


def test_changes_while_nobody_waits(make_watch, music):
    watch = make_watch(music)
    (music / "x.mid").write_bytes(b"x")
    assert watch.changed(5)


def test_a_file_as_a_source(make_watch, music):
    path = music / "sub" / "odd name"
    path.write_bytes(b"x")
    watch = make_watch(path)
    (music / "sub" / "other name").write_bytes(b"x")
    assert not watch.changed(0.1)
    path.write_bytes(b"changed")
    assert watch.changed(5)


def test_links_are_followed_once(make_watch, music, tmp_path):
    (tmp_path / "other").mkdir()
    (music / "link").symlink_to(tmp_path / "other")
    (tmp_path / "other" / "back").symlink_to(music)
    (without, following) = make_watch(music), make_watch(music, follow_links=True)
    (tmp_path / "other" / "x.mid").write_bytes(b"x")
    assert following.changed(5) and not without.changed(0.1)


def test_too_many_folders_are_searched(monkeypatch, music):
    def fail(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(InotifyWatch, "_add", fail)
    one = watching.watch([os.fsencode(music)])
    assert isinstance(one, PollingWatch)
