"""Opening a database for reading: without a trace, without write permission, and what is refused."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import midiopt
from midiopt.cli.main import main
from midiopt.errors import SinkError
from midiopt.library import sqlite
from midiopt.library.snapshot import open_snapshot
from midiopt.sinks import open_sink
from tests.helpers.batches import make_older, query
from tests.helpers.processes import call, finish
from tests.helpers.songs import write_songs

SAMPLE = Path(__file__).parents[2] / "sample" / "midi"


def test_reading_leaves_no_trace(tmp_path):
    """Neither after a finished run nor after a killed one does a reader change or leave a file."""
    db = tmp_path / "facts.db"
    midiopt.run([SAMPLE], db)
    for _ in range(2):
        before = {p.name: p.read_bytes() for p in tmp_path.iterdir() if not p.name.endswith("-shm")}
        times = {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir() if not p.name.endswith("-shm")}
        for name in ("status", "duplicates", "verify"):
            done = call(name, "--db", db)
            assert done.returncode == 0 and done.stdout, done.stderr
        assert {p.name: p.read_bytes() for p in tmp_path.iterdir() if not p.name.endswith("-shm")} == before
        assert {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir() if not p.name.endswith("-shm")} == times
        code = f"""
import datetime, os
from midiopt.sinks import open_sink
sink = open_sink({str(db)!r})
sink.start_run({{"started": datetime.datetime.now(), "version": "", "build": "", "sources": [], "options": "{{}}"}})
os.kill(os.getpid(), 9)
"""
        subprocess.run([sys.executable, "-c", code])
    assert (tmp_path / "facts.db-wal").exists()


def test_a_database_in_a_folder_that_cannot_be_written():
    """As an ordinary user, whom root becomes after importing what lies in its own folders."""
    read = "with open_snapshot({!r}) as library: print(next(library.rows('SELECT count(*) FROM files'))[0])"
    code = "import os; from midiopt.library import sqlite; from midiopt.library.snapshot import open_snapshot\n"
    code += "os.geteuid() or os.setuid(65534)\n"
    with tempfile.TemporaryDirectory() as folder:
        db = os.path.join(folder, "facts.db")
        summary = midiopt.run([SAMPLE], db)
        os.chmod(db, 0o444)
        os.chmod(folder, 0o555)
        done = subprocess.run([sys.executable, "-c", code + read.format(db)], capture_output=True, text=True)
        os.chmod(folder, 0o755)
    assert (done.stdout, done.stderr) == (f"{summary.files}\n", "")


def test_a_run_while_somebody_reads_who_may_not_write(tmp_path, monkeypatch):
    """He reads without locks: what may be neither the old nor the new rows is refused, and the next reading has the new ones."""
    db = tmp_path / "facts.db"
    write_songs(tmp_path / "music", 300)
    assert finish(tmp_path / "music", "--db", db).returncode == 0
    monkeypatch.setattr(sqlite, "_open_mode", lambda path: sqlite.WITHOUT_LOCKS)
    library = open_snapshot(db)
    paths = library.rows("SELECT path FROM files")
    next(paths)
    write_songs(tmp_path / "music", 400)
    assert finish(tmp_path / "music", "--db", db).returncode == 0
    with pytest.raises(SinkError, match=r"facts\.db was written while it was read; run the same command again"):
        list(paths)
    assert list(library.rows("SELECT count(*) FROM files")) == [(400,)]
    with library:
        assert len(list(library.rows("SELECT path FROM files"))) == 400
    with open_snapshot(db) as library:
        db.unlink()
        with pytest.raises(SinkError, match=r"cannot open the database .*facts\.db: No such file or directory"):
            library.page("SELECT path FROM files")


def test_a_link_to_a_database_whose_run_was_killed(tmp_path):
    """Its log, which has the last rows, is beside the file. An ordinary user reads it, who may not write."""
    db = tmp_path / "facts.db"
    midiopt.run([SAMPLE / "piano"], db)
    code = "import os; from midiopt.library import sqlite; from midiopt.library.snapshot import open_snapshot\n"
    code += "os.geteuid() or os.setuid(65534)\nprint(*open_snapshot({!r}).rows('SELECT DISTINCT error FROM files'))"
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(sqlite3.connect(db)) as run:
        run.execute("PRAGMA journal_mode = WAL")
        run.execute("UPDATE files SET error = 'in the log'")
        run.commit()
        copy, links = os.path.join(folder, "copy.db"), os.path.join(folder, "links")
        for suffix in ("", "-wal", "-shm"):
            shutil.copy(f"{db}{suffix}", copy + suffix)
        os.mkdir(links)
        os.symlink(copy, os.path.join(links, "link.db"))
        for path in (copy, links, folder):
            os.chmod(path, 0o555)
        done = subprocess.run([sys.executable, "-c", code.format(os.path.join(links, "link.db"))], capture_output=True, text=True)
        for path in (folder, links):
            os.chmod(path, 0o755)
    assert (done.stdout, done.stderr) == ("('in the log',)\n", "")


@pytest.mark.parametrize(
    ("lost", "expected"),
    [
        ("file", "cannot open the database {}: Permission denied"),
        ("folder", "cannot open the database {}: Permission denied"),
        ("shm", "{}: the last run was killed, so its log can be read only where it can be written"),
    ],
)
def test_a_database_without_permission(lost, expected):
    """What an ordinary user is told, also of a copy of what a killed run has left, without the index of its log."""
    code = "import os; from midiopt.library import sqlite; from midiopt.library.snapshot import open_snapshot\n"
    code += "os.geteuid() or os.setuid(65534)\ntry: open_snapshot({!r})\nexcept Exception as error: print(type(error).__name__, error)"
    with tempfile.TemporaryDirectory() as folder:
        db = os.path.join(folder, "facts.db")
        open_sink(db).close()
        Path(f"{db}-wal").touch()
        os.chmod(db, 0 if lost == "file" else 0o444)
        os.chmod(folder, 0 if lost == "folder" else 0o555)
        done = subprocess.run([sys.executable, "-c", code.format(db)], capture_output=True, text=True)
        os.chmod(folder, 0o755)
    assert done.stdout.startswith("SinkError " + expected.format(db)), done.stderr


def test_databases_that_cannot_be_read(tmp_path, url):
    for name in ("status", "duplicates"):
        done = call(name, "--db", tmp_path / "none.db")
        assert done.returncode == 1 and "there is no database" in done.stderr and "Traceback" not in done.stderr
    query(url, "CREATE TABLE songs (path text)")
    with pytest.raises(SinkError, match="was not made by midiopt"):
        open_snapshot(url)
    open_sink(url).close()
    make_older(url, 1)
    query(url, "DROP TABLE runs")
    with pytest.raises(SinkError, match="analyze upgrades it"):
        open_snapshot(url)


def test_names_that_are_not_utf8(tmp_path, capfd):
    """A database and a file of SQLite may have any name; libpq and Arrow take UTF-8 only."""
    db = os.fsencode(tmp_path) + b"/\xff%?.db"
    song = os.fsencode(tmp_path) + b"/\xff.mid"
    shutil.copy(next(SAMPLE.rglob("*.mid")), song)
    for arguments in (["analyze", song], ["analyze", song], ["status"], ["search"], ["verify"], ["similar", song], ["duplicates"]):
        assert main([*map(os.fsdecode, arguments), "--db", os.fsdecode(db)]) == 0, arguments
        capfd.readouterr()
    assert sorted(os.listdir(os.fsencode(tmp_path))) == [b"\xff%?.db", b"\xff.mid"]
    for url in ("postgresql://me\udcff:secret\udcff@localhost/x", "host=\udcff password=secret", "parquet:\udcff"):
        for command in ("status", "analyze"):
            assert main([command, *[os.fsdecode(song)] * (command == "analyze"), "--db", url]) == 1
            error = capfd.readouterr().err
            assert ("must be UTF-8" in error or "Parquet" in error) and "secret" not in error


def test_an_open_library_that_is_not_read_holds_no_run_up(url, tmp_path):
    """A notebook has it open overnight."""
    songs = sorted(SAMPLE.rglob("*.mid"))
    shutil.copy(songs[0], tmp_path / "a.mid")
    midiopt.run([tmp_path], url)
    with midiopt.Library(url) as library:
        assert library.count() == len(list(library)) == len(library.similar(tmp_path / "a.mid")) + 1
        dropped = library.search()
        next(dropped)
        del dropped
        shutil.copy(songs[1], tmp_path / "b.mid")
        assert midiopt.run([tmp_path], url, sink_timeout=1.0).ok == 1
        assert library.count() == 2


def test_a_library_is_read_in_threads_and_closed_in_the_midst(url):
    midiopt.run([SAMPLE], url)
    library = midiopt.Library(url)
    paths = [file.path for file in library]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda _: [file.path for file in library], range(8))) == [paths] * 8
    with pytest.raises(SinkError):
        list(library.rows("SELECT nothing FROM files"))
    assert library.count() == len(paths)
    begun = library.search()
    next(begun)
    library.close()
    begun.close()
    with pytest.raises(SinkError, match="closed"):
        library.count()


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> bytes:
    """The bytes of a database."""
    db = tmp_path_factory.mktemp("whole") / "facts.db"
    midiopt.run([SAMPLE / "piano"], db)
    return db.read_bytes()


@pytest.mark.parametrize("ask", ["status", "search", "verify", "analyze"])
def test_a_damaged_schema_is_one_line(whole, tmp_path, ask, capsys):
    """A bad block of a disk: names that are no UTF-8."""
    db = tmp_path / "facts.db"
    db.write_bytes(whole.replace(b"CREATE TABLE files", b"CREATE TABLE fi\xaaes"))
    assert main([ask, *([str(SAMPLE / "piano"), "--quiet"] if ask == "analyze" else []), "--db", str(db)]) == 1
    told = f"{db}: the database is damaged; put back a copy of it, or delete it and analyse the files again"
    assert capsys.readouterr().err == f"midiopt: {told}\n"


def test_a_damaged_value_is_one_line(whole, tmp_path, capsys):
    """In a list of names, which SQLite keeps as text."""
    db = tmp_path / "facts.db"
    db.write_bytes(whole.replace(b'["', b"[\x1a"))
    assert main(["verify", "--db", str(db)]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("midiopt: the database is damaged: track_names is '[")
