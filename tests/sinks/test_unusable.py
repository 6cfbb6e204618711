"""Databases that cannot be used, from the start or later: exit code 1, one sentence with the reason, no partial batch, no password."""

from __future__ import annotations

import contextlib
import os
import resource
import sqlite3
import subprocess
from pathlib import Path

import pytest

import midiopt
from benchmarks import postgres_server
from tests.helpers.batches import query
from tests.helpers.databases import wait_until
from tests.helpers.disks import mounted
from tests.helpers.processes import command, tables


def refused(songs, url, *more, **options) -> str:
    """The error message of a run that has to end with exit code 1."""
    more = ("--batch-size", 100, "--workers", 2, "--quiet", "--json", *more)
    done = subprocess.run(command(songs, "--db", url, *more), capture_output=True, text=True, timeout=120, **options)
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert done.stderr.startswith("midiopt: ") and done.stderr.count("\n") == 1
    assert "s3cret" not in done.stderr
    return done.stderr


def intact_tables(db: Path) -> tuple[list, list]:
    """The tables of an intact database, in which no file lacks its analysis."""
    with contextlib.closing(sqlite3.connect(db)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    files, analyses = tables(db)
    assert {row[3] for row in files if row[4] in ("ok", "repaired")} <= {row[0] for row in analyses}
    return files, analyses


def test_a_full_disk(songs, tmp_path):
    """The disk fills during a run; with more room the same command completes it."""
    with mounted(tmp_path / "disk", "size=768k") as disk:
        error = refused(songs, disk / "x.db")
        assert "disk" in error and "run the same command again" in error
        files, _ = intact_tables(disk / "x.db")
        assert 0 < len(files) < 3000
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        assert midiopt.run([songs], disk / "x.db").skipped == len(files)
        assert len(intact_tables(disk / "x.db")[0]) == 3000


def test_a_disk_that_is_full_before_the_run(songs, tmp_path):
    with mounted(tmp_path / "disk", "size=64k") as disk:
        (disk / "ballast").write_bytes(bytes(60 << 10))
        assert "disk" in refused(songs, disk / "x.db")
        (disk / "ballast").unlink()
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        assert midiopt.run([songs], disk / "x.db").ok == 3000


def test_a_file_size_limit(songs, tmp_path):
    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (512 << 10, 512 << 10))

    assert "ulimit -f" in refused(songs, tmp_path / "x.db", preexec_fn=limited)
    assert intact_tables(tmp_path / "x.db") == ([], [])


def test_a_full_disk_under_postgresql(songs, pg_url, pg_dsn, tmp_path):
    """The tables are in a small file system; committed batches stay, and with more room the same command completes the run."""
    with mounted(tmp_path / "disk", "size=1m,mode=777") as disk:
        allow_traversal(disk)
        space = disk / "space"
        space.mkdir(mode=0o777)
        if os.geteuid() == 0:
            os.chown(space, *postgres_server.server_account())
        name = query(pg_url, "SELECT current_database()")[0][0]
        postgres_server.execute(pg_dsn, f"CREATE TABLESPACE small LOCATION '{space}'")
        try:
            postgres_server.execute(pg_dsn, f"ALTER DATABASE {name} SET default_tablespace = small")
            assert "No space left" in refused(songs, pg_url, "--writers", 1)
            files, analyses = tables(pg_url)
            assert len(files) < 3000 and {row[3] for row in files} <= {row[0] for row in analyses}
            subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
            alone = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            wait_until(lambda: query(pg_url, alone) == [(1,)])  # the server notices the end of the run with a delay
            assert midiopt.run([songs], pg_url).skipped == len(files)
        finally:
            query(pg_url, "DROP SCHEMA public CASCADE")  # with its tables
            postgres_server.execute(pg_dsn, "DROP TABLESPACE small")


def allow_traversal(folder: Path) -> None:
    """pytest's folders are closed to other users, and the server runs as another user."""
    for parent in folder.parents:
        if parent.stat().st_uid == os.geteuid() and parent != Path("/tmp"):
            parent.chmod(parent.stat().st_mode | 0o111)


def test_a_read_only_file_system(songs, tmp_path):
    with mounted(tmp_path / "disk", "size=64m") as disk:
        midiopt.run([songs / "000"], disk / "x.db")
        before = tables(disk / "x.db")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        assert "Read-only file system" in refused(songs, disk / "x.db")
        assert "Read-only file system" in refused(songs, disk / "new.db")
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        assert tables(disk / "x.db") == before and not (disk / "new.db").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write every file")
def test_a_read_only_file(songs, tmp_path):
    midiopt.run([songs / "000"], tmp_path / "x.db")
    os.chmod(tmp_path / "x.db", 0o444)
    assert "Permission denied" in refused(songs, tmp_path / "x.db")


@pytest.mark.parametrize("new", [True, False])
def test_a_read_only_postgresql(songs, pg_url, pg_dsn, new):
    if not new:
        midiopt.run([songs / "000"], pg_url)
        before = tables(pg_url)
    select_names = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
    names = query(pg_url, select_names)
    assert bool(names) != new
    name = query(pg_url, "SELECT current_database()")[0][0]
    postgres_server.execute(pg_dsn, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    assert "the database is read-only" in refused(songs, pg_url)
    postgres_server.execute(pg_dsn, f"ALTER DATABASE {name} RESET default_transaction_read_only")
    assert new or tables(pg_url) == before
    assert query(pg_url, select_names) == names


def test_a_wrong_password(songs, pg_dsn, tmp_path):
    """A server that requires one."""
    with postgres_server.temporary_server() as server:
        server.require_passwords()
        url = f"postgresql://postgres:s3cret@/postgres?host={server.folder}"
        assert 'password authentication failed for user "postgres"' in refused(songs, url)
        assert "password authentication failed" in refused(songs, url.replace(":s3cret", "") + "&password=s3cret")


def test_a_database_that_does_not_exist(songs, pg_url):
    assert "does not exist" in refused(songs, pg_url + "&dbname=nowhere&password=s3cret")


def test_tables_of_another_program(songs, tmp_path, pg_url):
    for url in (f"sqlite:///{tmp_path}/x.db", pg_url):
        query(url, "CREATE TABLE library (title text)")
        assert "the database already has library, not made by midiopt" in refused(songs, url)
        assert query(url, "SELECT count(*) FROM library") == [(0,)]


def test_a_missing_extra(songs, tmp_path):
    """psycopg cannot be imported: a module of that name that raises ImportError is found first."""
    (tmp_path / "psycopg.py").write_text("raise ImportError('not installed')")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    error = refused(songs, "postgresql://me:s3cret@localhost/music", env={**os.environ, "PYTHONPATH": path})
    assert "pip install 'midiopt[postgres]'" in error
