"""A collection with odd names in both databases, and a client of its pages."""

from __future__ import annotations

import contextlib
import gzip
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import midiopt
from benchmarks import postgres_server
from sample.smf import note_off, note_on, smf, text, track
from tests.helpers.archives import zip_of
from tests.helpers.processes import command

PORT = 8364
HOST = f"127.0.0.1:{PORT}"
MISSING = [name for name in ("starlette", "uvicorn", "jinja2", "httpx2") if find_spec(name) is None]
NEEDED = pytest.mark.skipif(bool(MISSING), reason=f"not installed (pip install 'midiopt[test]'): {', '.join(MISSING)}")
SAMPLE = Path(__file__).parents[2] / "sample" / "midi"
HOSTILE = "<script>alert(1)</script> \u202egnp.exe \x1b[31m\" onclick='x'"


def client_of(url: str) -> Any:
    """A client of the pages of a database, which calls them without a server."""
    from starlette.testclient import TestClient

    from midiopt.browse.app import make_app

    return TestClient(make_app(url, PORT), base_url=f"http://{HOST}")


@contextlib.contextmanager
def serving(db: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server at any free port, and its address."""
    arguments = command("browse", db, "--port", 0, *options, module="midiopt")
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        assert line.startswith(f"{db} at http://127.0.0.1:") and line.endswith("/ (Ctrl-C ends)\n"), (line, process.stderr.read())
        try:
            yield process, line.split(" at ")[1].split(" ")[0]
        finally:
            process.kill()


def tune(title: str, pitch: int = 60) -> bytes:
    """Two notes with a title."""
    events = [(0, text(3, title)), (0, note_on(0, pitch, 90)), (0, note_on(0, pitch + 4, 90))]
    return smf([track([*events, (96, note_off(0, pitch)), (96, note_off(0, pitch + 4))])])


@pytest.fixture(scope="session")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample, a file that is packed twice and two with hostile names."""
    folder = tmp_path_factory.mktemp("music")
    shutil.copytree(SAMPLE, folder, dirs_exist_ok=True)
    (folder / "packed.zip").write_bytes(
        zip_of({"a b/in zip.mid": tune("In a zip", 50), "inner.zip": zip_of({"deep.mid": tune("Deep", 51)})})
    )
    (folder / "packed.mid.gz").write_bytes(gzip.compress(tune("In gzip", 52)))
    (folder / f"{HOSTILE.replace('/', '_')}.mid").write_bytes(tune(HOSTILE, 53))
    (folder / "caf\udce9 \\ 100%.mid").write_bytes(tune("Bytes", 54))
    return folder


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, music: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a database of the collection."""
    if request.param == "sqlite":
        url = str(tmp_path_factory.mktemp("databases") / "music.db")
        midiopt.run([music], url)
        yield url
    else:
        with postgres_server.database(request.getfixturevalue("pg_dsn")) as url:
            midiopt.run([music], url)
            yield url
