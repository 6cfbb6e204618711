"""midiopt status: what a database holds, and how the last run into it ended."""

from __future__ import annotations

import argparse

from midiopt.cli.arguments import add_library_options
from midiopt.cli.console import print_json

TYPE_CHECKING = False  # see midiopt/__init__.py
if TYPE_CHECKING:
    from midiopt.library.status import LibraryStatus


DESCRIPTION = "Show what a database holds: files by status, issues with examples, the slowest and largest files, the last run."


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_library_options(parser, json_help="print one JSON object instead of a table")


def command(options: argparse.Namespace) -> int:
    """Print a table, or with --json one object."""
    from midiopt.cli.hidden_arguments import hide_argument
    from midiopt.library import open_library
    from midiopt.library.status import library_status
    from midiopt.sinks.urls import without_password

    hide_argument(options.db)
    with open_library(options.db) as library:
        status = library_status(library)
    database = without_password(options.db)
    if options.json:
        print_json({"database": database, **_json_object(status)}, default=_json_time)
    else:
        from midiopt.cli.status_table import print_status

        print_status(database, status)
    return 0


def _json_object(status: LibraryStatus) -> dict[str, object]:
    from dataclasses import asdict

    files = {name: {"files": found.files} if found.example is None else asdict(found) for name, found in status.files.items()}
    return {**asdict(status), "files": files}


def _json_time(value: object) -> str:
    import datetime as dt

    assert isinstance(value, dt.datetime)
    return f"{value:%Y-%m-%d %H:%M:%S.%f}"
