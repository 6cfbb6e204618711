"""midiopt show: the facts of one file."""

from __future__ import annotations

import argparse
from typing import Any

from rich.console import Console
from rich.table import Table

from midiopt.api import Analysis, analyze
from midiopt.cli.arguments import Subparsers
from midiopt.cli.console import print_error, print_json, printable
from midiopt.errors import MidiError
from midiopt.kinds import SHARES
from midiopt.schema import ANALYSES, MINOR_TONICS, Column


def add_parser(subparsers: Subparsers) -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser("show", help="show the facts of one file", description="Show the facts of one MIDI file.")
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.set_defaults(run=command)


def command(options: argparse.Namespace) -> int:
    """Print the facts. Exit code 1 if the file cannot be read or used."""
    try:
        facts = analyze(options.file)
    except (OSError, MidiError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else problem
        print_error(f"{options.file}: {reason}")
        return 1
    if options.json:
        columns = {column.name: json_value(facts, column) for column in ANALYSES}
        print_json({"status": facts.status, "error": facts.error, **columns})
    else:
        Console(highlight=False).print(facts_table(options.file, facts))
    return 0


def facts_table(title: str, facts: Analysis) -> Table:
    """A row per fact: name, value and unit."""
    table = Table(title=printable(title), title_justify="left", title_style="bold", show_header=False)
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(style="dim", overflow="fold")
    table.add_row("status", printable(facts.status if facts.error is None else f"{facts.status}: {facts.error}"), "")
    for column in ANALYSES:
        if column.name != "analyzer_version":
            table.add_row(column.name, printable(table_value(facts, column)), column.unit)
    return table


def json_value(facts: Analysis, column: Column) -> Any:
    """The value as JSON holds it: hashes in hexadecimal, issues by name."""
    if column.name == "issues":
        return facts.issue_names
    value = getattr(facts, column.name)
    return value.hex() if isinstance(value, bytes) else value


def table_value(facts: Analysis, column: Column) -> str:
    """The value as text: "-" for null, up to 3 decimals, and the pitch classes with at least half a percent by name."""
    value = json_value(facts, column)
    if value is None:
        return "-"
    if column.kind is SHARES:
        return "  ".join(f"{name} {share:.0%}" for name, share in zip(MINOR_TONICS, value, strict=True) if share >= 0.005)
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    return str(value)
