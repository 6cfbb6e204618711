"""The command line: midiopt analyze, show, status, duplicates, verify."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from midiopt import __version__
from midiopt.api import Analysis, analyze
from midiopt.cli.console import guarded, plain
from midiopt.errors import MidiError, MidioptError
from midiopt.library import duplicates, status, verify
from midiopt.pipeline import run
from midiopt.pipeline.options import DATABASE, add_options, whole_number
from midiopt.schema import ANALYSES, Column


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="midiopt", description="Turn MIDI files into a database of musical facts.")
    parser.add_argument("--version", action="version", version=f"midiopt {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("analyze", help="analyse files into a database", description=run.DESCRIPTION)
    add_options(command)
    command.set_defaults(run=run.run_command)

    command = commands.add_parser("show", help="show the facts of one file", description="Show the facts of one MIDI file.")
    command.add_argument("file", metavar="FILE")
    command.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    command.set_defaults(run=show)

    for name, module, summary, form in (
        ("status", status, "show what a database holds and how the last run ended", "one JSON object"),
        ("duplicates", duplicates, "list the files that have the same bytes", "one JSON object a group, a line each,"),
        ("verify", verify, "analyse files again and report rows that differ", "one JSON object a difference, and one of counts,"),
    ):
        command = commands.add_parser(name, help=summary, description=module.DESCRIPTION)
        command.add_argument("--db", default=DATABASE, metavar="URL", help="the database (default: %(default)s)")
        command.add_argument("--json", action="store_true", help=f"print {form} instead of a table")
        command.set_defaults(run=module.command)
        if module is verify:
            command.add_argument(
                "--sample",
                type=whole_number,
                default=verify.SAMPLE,
                metavar="N",
                help="so many files, taken by chance (default: %(default)s)",
            )
            command.add_argument("--all", action="store_true", help="all files, whatever their number")

    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    options = make_parser().parse_args(arguments)
    return guarded(lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    try:
        return options.run(options)
    except MidioptError as problem:
        print(f"midiopt: {problem}", file=sys.stderr)
        return 1


def show(options: argparse.Namespace) -> int:
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
        names = ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B"]
        return "  ".join(f"{name} {share:.0%}" for name, share in zip(names, value, strict=True) if share >= 0.005)  # type: ignore[call-overload]
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    return str(value)
