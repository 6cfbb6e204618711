"""The parser of the command line, and the entry point of ``midiopt``.

Help and usage errors take 48 ms of processor time, of which Python itself needs 15: only the module of a command that is named
is imported, and that imports its work when it begins.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module

from midiopt.cli.console import print_error, run_command
from midiopt.cli.parser import Parser
from midiopt.core import build
from midiopt.errors import MidioptError

COMMANDS = {  # each a module here, with DESCRIPTION, add_options() and command()
    "analyze": "analyse files into a database",
    "show": "show the facts of files",
    "search": "list the files that meet a search",
    "similar": "list files with similar music",
    "export": "write what a search finds into a file or a folder",
    "repair": "write damaged files anew, valid and complete",
    "split": "write a file per track or channel of a song",
    "status": "show what a database holds and how the last run ended",
    "duplicates": "list files with identical bytes",
    "report": "write a page about a database, with charts and examples",
    "browse": "search, look and listen in a web browser",
    "compact": "join the small parts of a Parquet directory",
    "verify": "analyse files again and report rows that differ",
    "datasette-metadata": "print what Datasette shows beside the rows",
    "completion": "print the completion script of bash, zsh or fish",
    "help": "show the help of a command",
}

EXAMPLES = (
    ("midiopt analyze ~/Music/midi", "fill midiopt.db; again at any time"),
    ("midiopt status", "what it holds"),
    ("midiopt search key:Am bpm:118..124", "files in A minor at this tempo"),
    ("midiopt show song.mid", "the facts of a file"),
)


def make_parser(complete: Iterable[str] = COMMANDS) -> Parser:
    """The parser of all commands. Those in ``complete`` have their options, and set ``run`` to the function of the command."""
    parser = Parser(prog="midiopt", description="Turn MIDI files into a database of musical facts.")
    parser.examples = EXAMPLES
    subparsers = parser.add_subparsers(prog=parser.prog, required=True, metavar="COMMAND", title="commands")
    parser.group("other options").add_argument("--version", action="version", version=f"midiopt {build.version}", help="show the version")
    commands = {name: subparsers.add_parser(name, help=summary) for name, summary in COMMANDS.items()}
    for name in complete:
        module = import_module(f"midiopt.cli.{name.replace('-', '_')}")
        commands[name].description = module.DESCRIPTION
        commands[name].set_defaults(run=module.command)
        module.add_options(commands[name])
        commands[name].complete()
    parser.epilog = "midiopt help COMMAND explains a command."
    parser.complete()
    return parser


def command_help(name: str | None) -> str:
    """The help of a command, or the list of commands."""
    parser = make_parser([name] if name else ())
    [subparsers] = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return (subparsers.choices[name] if name else parser).format_help()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code. An error of midiopt's own is one line on standard error, and exit code 1."""
    arguments = sys.argv[1:] if arguments is None else arguments
    return run_command(lambda: _run(arguments))


def _run(arguments: Sequence[str]) -> int:
    options = make_parser(COMMANDS.keys() & arguments).parse_args(arguments)
    try:
        code: int = options.run(options)
        return code
    except MidioptError as problem:
        print_error(problem)
        return 1
