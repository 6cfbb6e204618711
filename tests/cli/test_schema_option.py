"""--schema NAME of the commands that write and read a database."""

from __future__ import annotations

from tests.helpers.batches import query
from tests.helpers.processes import call, finish


def test_commands_use_the_schema(tmp_path, pg_url):
    (tmp_path / "no.mid").write_bytes(b"MThd")
    done = finish(tmp_path, "--db", pg_url, "--schema", "music", "--quiet")
    assert done.returncode == 0, done.stderr
    assert query(pg_url, "SELECT count(*) FROM music.library") == [(1,)]
    shown = call("status", pg_url, "--schema", "music", "--json")
    assert shown.returncode == 0 and '"rejected"' in shown.stdout
    assert call("status", f"{pg_url}&schema=music").returncode == 0
    elsewhere = call("status", pg_url)
    assert elsewhere.returncode == 1 and "are in another schema; --schema names it: music" in elsewhere.stderr


def test_sqlite_has_none(tmp_path):
    done = finish(tmp_path, "--db", tmp_path / "facts.db", "--schema", "music")
    assert (done.returncode, done.stdout) == (1, "") and "only PostgreSQL has schemas" in done.stderr
