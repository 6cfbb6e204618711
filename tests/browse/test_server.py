"""The command: where it listens, what it says, and how it ends."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import midiopt
from midiopt.browse.libraries import Libraries
from tests.browse.conftest import NEEDED, SAMPLE, serving
from tests.helpers.processes import finish

pytestmark = NEEDED
TIMEOUT = 30


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("server") / "music.db"
    midiopt.run([SAMPLE / "piano"], path)
    return path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_a_signal_and_ends_with_0(db, number):
    with serving(db) as (process, address):
        with urllib.request.urlopen(address, timeout=TIMEOUT) as answer:
            assert b"<h1>" in answer.read()
        process.send_signal(number)
        assert process.wait(TIMEOUT) == 0
        assert process.stdout.read() == process.stderr.read() == ""


def test_it_listens_on_this_computer_only(db):
    with serving(db) as (process, address):
        port = int(address.rstrip("/").rpartition(":")[2])
        listening = Path(f"/proc/{process.pid}/net/tcp").read_text().splitlines()[1:]
        assert [line.split()[1] for line in listening if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"] == [
            f"0100007F:{port:04X}"
        ]
        with socket.create_connection(("127.0.0.1", port)) as connection:  # of a program that looks for open ports
            connection.sendall(b"SSH-2.0-x\r\n\r\n")
            assert connection.recv(12) == b"HTTP/1.1 400"
        process.terminate()
        assert process.wait(TIMEOUT) == 0 and process.stderr.read() == ""


def test_a_port_in_use_is_said(db):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = finish("browse", db, "--port", port, module="midiopt")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == f"midiopt: port {port} is in use; choose another with --port, or any free one with --port 0\n"


def test_errors_are_said_before_anything_is_served(db, tmp_path):
    done = finish("browse", tmp_path / "none.db", module="midiopt")
    assert (done.returncode, done.stderr) == (1, f"midiopt: there is no database {tmp_path}/none.db; midiopt analyze makes one\n")
    for port in ("65536", "-1", "http"):
        done = finish("browse", db, f"--port={port}", module="midiopt")
        assert done.returncode == 2 and "must be a port, from 0 to 65535" in done.stderr


def test_without_the_extra_it_is_named(db):
    code = "import sys; sys.modules['starlette'] = None; from midiopt.cli.main import main; sys.exit(main(['browse', sys.argv[1]]))"
    done = subprocess.run([sys.executable, "-c", code, str(db)], capture_output=True, text=True, timeout=TIMEOUT)
    assert (done.returncode, done.stderr) == (1, "midiopt: browse needs an extra package: pip install 'midiopt[browse]'\n")


def test_many_requests_at_once(db: Path) -> None:
    with serving(db) as (process, address), ThreadPoolExecutor(8) as threads:
        pages = [address + page for page in ("", "?q=key:Am", "facets", "help", "?sort=-notes") * 12]
        assert list(threads.map(lambda page: urllib.request.urlopen(page, timeout=TIMEOUT).status, pages)) == [200] * len(pages)
        assert process.poll() is None


def test_a_snapshot_is_kept_for_a_moment_and_never_shared(db: Path) -> None:
    libraries = Libraries(str(db))
    with libraries.open() as one, libraries.open() as other:
        assert one is not other
    with libraries.open() as again:
        assert again in (one, other)
    libraries.close_older_than(0)
    with libraries.open() as new:
        assert new not in (one, other)
    with pytest.raises(ZeroDivisionError), libraries.open() as failed:
        raise ZeroDivisionError
    with libraries.open() as after:
        assert after is not failed
    libraries.close_older_than(0)
