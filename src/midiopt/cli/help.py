"""midiopt help: what --help of a command shows."""

from __future__ import annotations

import argparse

from midiopt.cli.parser import Parser

DESCRIPTION = "Show the help of a command, or the list of commands."
EXAMPLES = (
    ("midiopt help", "the commands"),
    ("midiopt help analyze", "the options of a command"),
    ("man midiopt", "everything on one page"),
)


def add_options(parser: Parser) -> None:
    """Add the arguments of the command."""
    from midiopt.cli.main import COMMANDS  # which imports this module by name

    parser.examples = EXAMPLES
    parser.group("what to show").add_argument("topic", nargs="?", choices=tuple(COMMANDS), metavar="COMMAND", help="name of a command")


def command(options: argparse.Namespace) -> int:
    """Print it on standard output."""
    from midiopt.cli.main import command_help

    print(command_help(options.topic), end="")
    return 0
