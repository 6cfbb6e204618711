"""An S3 server on loopback whose objects may have any key; that of rclone, which other tests use, has those of files."""

from __future__ import annotations

import http.server
from threading import Thread
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

KEYS_PER_PAGE = 3


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: KeyServer

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """A page of a listing (ListObjectsV2), or an object of the only bucket."""
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        content = self.server.objects.get(unquote(url.path).split("/", 2)[-1])
        answer = self.page(query) if "list-type" in query else content
        self.send_response(404 if answer is None else 200)
        self.send_header("Content-Length", str(len(answer or b"")))
        self.send_header("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT")
        self.end_headers()
        self.wfile.write(answer or b"")

    def page(self, query: dict[str, str]) -> bytes:
        """Keys and common prefixes after the last ones."""
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter")
        after = query.get("continuation-token") or query.get("start-after", "")
        names = {}
        for key in sorted(key for key in self.server.objects if key.startswith(prefix)):
            folder, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
            names[prefix + folder + found if found else key] = bool(found)
        wanted = [name for name in names if name > after]
        page = wanted[:KEYS_PER_PAGE]
        items = [
            f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>"
            if names[name]
            else f"<Contents><Key>{escape(name)}</Key><LastModified>2024-01-01T00:00:00Z</LastModified>"
            f"<Size>{len(self.server.objects[name])}</Size></Contents>"
            for name in page
        ]
        more = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if len(page) < len(wanted) else ""
        return f"<ListBucketResult><IsTruncated>{str(bool(more)).lower()}</IsTruncated>{more}{''.join(items)}</ListBucketResult>".encode()


class KeyServer(http.server.ThreadingHTTPServer):
    """Serves objects by their keys; ``environment`` leads clients to it."""

    daemon_threads = True

    def __init__(self, objects: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects = objects
        self.environment = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.server_address[1]}", "AWS_SKIP_SIGNATURE": "true"}

    def __enter__(self) -> KeyServer:
        Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
