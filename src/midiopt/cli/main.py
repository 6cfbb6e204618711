"""The parser of the command line, and the entry point of ``midiopt``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from midiopt.cli import analyze, duplicates, show, status, verify
from midiopt.cli.console import run_command
from midiopt.core import build
from midiopt.errors import MidioptError


def make_parser() -> argparse.ArgumentParser:
    """The parser of all commands; each sets ``run`` to the function of its command."""
    parser = argparse.ArgumentParser(prog="midiopt", description="Turn MIDI files into a database of musical facts.")
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
        print(f"midiopt: {problem}", file=sys.stderr)
        return 1
