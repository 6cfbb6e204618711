"""midiopt browse: search, look and listen in a web browser."""

from __future__ import annotations

import argparse

from midiopt.cli.arguments import add_library_options
from midiopt.cli.parser import Parser
from midiopt.errors import MissingExtra

DESCRIPTION = (
    "Show a database in a web browser: search it, look at a file's notes and facts, and listen to it."
    " The pages are for this computer only (127.0.0.1), nothing is written, and Ctrl-C ends it."
)
EXAMPLES = (
    ("midiopt browse", "midiopt.db, at http://127.0.0.1:8364/"),
    ("midiopt browse music.db --open", "another database, and open the browser"),
    ("midiopt browse --port 0", "at any free port"),
)
PORT = 8364
MAX_PORT = 65535


def add_options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.examples = EXAMPLES
    add_library_options(parser)
    group = parser.group("the server")
    group.add_argument("--port", type=_port, default=PORT, metavar="N", help=f"the port; 0 is any free one (default: {PORT})")
    group.add_argument("--open", action="store_true", help="open the page in the browser")


def command(options: argparse.Namespace) -> int:
    """Serve until a signal; exit code 0 then."""
    from midiopt.cli.hidden_arguments import database_url
    from midiopt.sinks.urls import without_password

    try:
        from midiopt.browse.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("midiopt"):
            raise
        raise MissingExtra("browse", "browse") from error

    url = database_url(options)

    def announce(address: str) -> None:
        print(f"{without_password(url)} at {address} (Ctrl-C ends)", flush=True)

    serve(url, options.port, announce, options.open)
    return 0


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= MAX_PORT):
        raise argparse.ArgumentTypeError(f"must be a port, from 0 to {MAX_PORT}, not {text!r}")
    return int(text)
