"""midiopt show: the facts of one file."""

from __future__ import annotations

import argparse

from midiopt.cli.console import print_error, print_json
from midiopt.errors import MidiError

DESCRIPTION = "Show the facts of one MIDI file."


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")


def command(options: argparse.Namespace) -> int:
    """Print the facts. Exit code 1 if the file cannot be read or used."""
    from midiopt.api import analyze

    try:
        facts = analyze(options.file)
    except (OSError, MidiError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else problem
        print_error(f"{options.file}: {reason}")
        return 1
    from midiopt.cli.facts_table import json_object, print_facts

    if options.json:
        print_json(json_object(facts))
    else:
        print_facts(options.file, facts)
    return 0
