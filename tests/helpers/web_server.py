"""A web server on loopback that has faults; benchmarks/object_store.py has the S3 server."""

from __future__ import annotations

import http.server
import os
import threading
from pathlib import Path


class _Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: WebServer

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        """Denied, where the server has no_head."""
        if self.server.no_head:
            self.send_error(self.server.no_head)
        else:
            super().do_HEAD()

    def do_GET(self) -> None:
        """With the faults and ranges of the server."""
        self.server.requests.append((self.command, self.path))
        if self.server.failures > 0:
            self.server.failures -= 1
            self.send_error(503)
            return
        if self.server.password and self.headers.get("Authorization") != self.server.password:
            self.send_error(401)
            return
        wanted = None if self.server.no_ranges else self.headers.get("Range")
        if not wanted:
            super().do_GET()
            return
        data = Path(self.translate_path(self.path)).read_bytes()
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        part = data[int(first) : int(last) + 1]
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {first}-{int(first) + len(part) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(part)))
        self.send_header("Last-Modified", self.date_time_string(int(os.stat(self.translate_path(self.path)).st_mtime)))
        self.end_headers()
        self.wfile.write(part)


class WebServer(http.server.ThreadingHTTPServer):
    """Serves a folder; ``failures`` is how many requests it answers with 503, ``requests`` are those that it got, but HEAD.

    ``no_head`` is the status with which it answers HEAD, if any; with ``no_ranges`` it sends whole files only.
    """

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), lambda *arguments: _Handler(*arguments, directory=str(folder)))  # type: ignore[arg-type]
        self.requests: list[tuple[str, str]] = []
        self.failures = 0
        self.no_head = 0
        self.no_ranges = False
        self.password = ""
        self.port = self.server_address[1]

    def __enter__(self) -> WebServer:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
