"""midiopt status: what a database holds, and how the last run into it ended."""

from __future__ import annotations

import argparse

from midiopt.cli.arguments import add_json_options, add_library_options
from midiopt.cli.json_output import described, print_json
from midiopt.cli.parser import Parser

TYPE_CHECKING = False  # see midiopt/__init__.py
if TYPE_CHECKING:
    from midiopt.library.status import LibraryStatus


DESCRIPTION = "Show what a database holds: files by status, issues with examples, the slowest and largest files, the last run."


EXAMPLES = (
    ("midiopt status", "of midiopt.db"),
    ("midiopt status music.db", "of another database"),
    ("midiopt status --json | jq .last_run", "for programs"),
)


def add_options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.examples = EXAMPLES
    add_library_options(parser)
    add_json_options(parser)


def command(options: argparse.Namespace) -> int:
    """Print a table, or with --json one object."""
    from midiopt.cli.hidden_arguments import database_url
    from midiopt.library.snapshot import open_snapshot
    from midiopt.library.status import library_status
    from midiopt.sinks.urls import without_password

    options.db = database_url(options)
    with open_snapshot(options.db) as library:
        status = library_status(library)
    database = without_password(options.db)
    if options.json or options.jsonl:
        print_json(described("status", database) | _json_object(status))
    else:
        from midiopt.cli.status_table import print_status

        print_status(database, status)
    return 0


def _json_object(status: LibraryStatus) -> dict[str, object]:
    from midiopt.library.status import as_facts

    facts = as_facts(status)
    files = {name: {key: value for key, value in found.items() if value is not None} for name, found in facts["files"].items()}
    return {**facts, "files": files, "bytes": status.bytes}
