"""The parser of the command line, and the entry point of ``midiopt``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from midiopt.cli import analyze, duplicates, show, status, verify
from midiopt.cli.console import Parser, print_error, run_command
from midiopt.core import build
from midiopt.errors import MidioptError


def make_parser() -> Parser:
    """The parser of all commands; each sets ``run`` to the function of its command."""
    parser = Parser(prog="midiopt", description="Turn MIDI files into a database of musical facts.")
    parser.add_argument("--version", action="version", version=f"midiopt {build.version}")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (analyze, show, status, duplicates, verify):
        command.add_parser(subparsers)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code. An error of midiopt's own is one line on standard error, and exit code 1."""
    options = make_parser().parse_args(arguments)
    return run_command(lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    try:
        code: int = options.run(options)
        return code
    except MidioptError as problem:
        print_error(problem)
        return 1
