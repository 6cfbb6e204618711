"""midiopt show: the facts of one file."""

from __future__ import annotations

import argparse
import json
import sys

from rich.console import Console
from rich.table import Table

from midiopt.api import Analysis, analyze
from midiopt.cli.arguments import Subparsers
from midiopt.cli.console import plain
from midiopt.errors import MidiError
from midiopt.schema import ANALYSES, MINOR_TONICS, Column


def add_parser(subparsers: Subparsers) -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser("show", help="show the facts of one file", description="Show the facts of one MIDI file.")
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.set_defaults(run=command)


def command(options: argparse.Namespace) -> int:
    """Exit code 1 when the file cannot be read or used."""
    try:
        facts = analyze(options.file)
    except (OSError, MidiError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else problem
        print(f"midiopt: {options.file}: {reason}", file=sys.stderr)
        return 1
    if options.json:
        columns = {c.name: _plain(facts, c) for c in ANALYSES}
        print(json.dumps({"status": facts.status, "error": facts.error, **columns}, ensure_ascii=False))
        return 0
    table = Table(title=plain(options.file), title_justify="left", title_style="bold", show_header=False)
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(style="dim", overflow="fold")
    table.add_row("status", plain(facts.status if facts.error is None else f"{facts.status}: {facts.error}"), "")
    for column in ANALYSES:
        if column.name != "analyzer_version":
            table.add_row(column.name, plain(_readable(facts, column)), column.unit)
    Console(highlight=False).print(table)
    return 0


def _plain(facts: Analysis, column: Column) -> object:
    value = getattr(facts, column.name)
    if column.name == "issues":
        return facts.issue_names
    return value.hex() if isinstance(value, bytes) else value


def _readable(facts: Analysis, column: Column) -> str:
    value = _plain(facts, column)
    if value is None:
        return "-"
    if column.name == "pitch_classes":
        return "  ".join(f"{name} {share:.0%}" for name, share in zip(MINOR_TONICS, value, strict=True) if share >= 0.005)  # type: ignore[call-overload]
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    return str(value)
