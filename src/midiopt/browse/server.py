"""The server of midiopt browse: one socket on 127.0.0.1, until a signal ends it."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
import webbrowser
from collections.abc import Callable, Iterator

import uvicorn

from midiopt.browse.app import make_app
from midiopt.errors import MidioptError
from midiopt.library.snapshot import open_snapshot
from midiopt.pipeline.signals import STOP_SIGNALS

ADDRESS = "127.0.0.1"
BACKLOG = 128
SHUTDOWN_TIMEOUT = 2  # seconds that answers under way have after the signal


class _Server(uvicorn.Server):
    """Ends in order at the first signal, and does not raise it again."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, self._stop)
        try:
            yield
        finally:
            for number in STOP_SIGNALS:
                loop.remove_signal_handler(number)
                signal.signal(number, signal.SIG_IGN)  # a second one, while the process ends

    def _stop(self) -> None:
        self.should_exit = True


def serve(url: str, port: int, announce: Callable[[str], None], opens_browser: bool = False) -> None:
    """Serve the database at ``url`` until SIGINT or SIGTERM. ``announce`` gets the address once it can be opened; port 0 is any free one.

    Raises SinkError if the database cannot be read, and MidioptError if the port is in use.
    """
    with open_snapshot(url):  # before anything else: what is wrong with the database is said on the terminal
        pass
    with _listen(port) as listener:
        port = listener.getsockname()[1]
        address = f"http://{ADDRESS}:{port}/"
        app = make_app(url, port)
        config = uvicorn.Config(
            app,
            log_level="error",
            access_log=False,
            lifespan="off",
            ws="none",
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=SHUTDOWN_TIMEOUT,
        )
        announce(address)
        if opens_browser:
            webbrowser.open(address)
        try:
            _Server(config).run(sockets=[listener])
        finally:
            app.state.close()


def _listen(port: int) -> socket.socket:
    """A socket that says it is one of TCP: only then asyncio sends an answer at once, else its end waits 40 ms for an acknowledgement."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # of a server that has just ended the port is free
        listener.bind((ADDRESS, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise MidioptError(f"port {port} is in use; choose another with --port, or any free one with --port 0") from None
        raise MidioptError(f"cannot listen on port {port}: {error.strerror}") from None
    return listener
