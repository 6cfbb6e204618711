"""midiopt datasette-metadata: what Datasette shows beside the rows."""

from __future__ import annotations

import argparse

from midiopt.cli.arguments import add_library_options
from midiopt.cli.parser import Parser
from midiopt.core import build

DESCRIPTION = "Print the metadata.json with which Datasette explains the tables and columns of an SQLite database."
EXAMPLES = (
    ("midiopt datasette-metadata music.db > metadata.json", "write it"),
    ("datasette -m <(midiopt datasette-metadata x.db) x.db", "use it at once"),
    ("midiopt datasette-metadata music.db | jq .databases", "look at it"),
)


def add_options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.examples = EXAMPLES
    add_library_options(parser)


def command(options: argparse.Namespace) -> int:
    """Print the object."""
    import json

    from midiopt.cli.hidden_arguments import database_url
    from midiopt.errors import SinkError
    from midiopt.library.datasette import metadata
    from midiopt.library.snapshot import open_snapshot
    from midiopt.sinks.urls import is_postgres, sqlite_path

    options.db = database_url(options)
    if is_postgres(options.db):
        raise SinkError("Datasette reads SQLite databases; PostgreSQL shows the same by \\d+ and in its comments")
    with open_snapshot(options.db) as library:
        print(json.dumps(metadata(library, sqlite_path(options.db), build.version), indent=2))
    return 0
