"""The parser of the command line, and what ``midiopt`` calls."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from midiopt.cli import analyze, duplicates, show, status, verify
from midiopt.cli.analyze import whole_number
from midiopt.cli.console import guarded
from midiopt.core import build
from midiopt.errors import MidioptError
from midiopt.library.verify import SAMPLE
from midiopt.pipeline.options import DATABASE


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="midiopt", description="Turn MIDI files into a database of musical facts.")
    parser.add_argument("--version", action="version", version=f"midiopt {build.version}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("analyze", help="analyse files into a database", description=analyze.DESCRIPTION)
    analyze.add_options(command)
    command.set_defaults(run=analyze.run_command)

    command = commands.add_parser("show", help="show the facts of one file", description="Show the facts of one MIDI file.")
    command.add_argument("file", metavar="FILE")
    command.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    command.set_defaults(run=show.command)

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
                default=SAMPLE,
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
