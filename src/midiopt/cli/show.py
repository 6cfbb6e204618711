"""midiopt show: the facts of files."""

from __future__ import annotations

import argparse

from midiopt.cli.arguments import add_json_options
from midiopt.cli.console import print_error
from midiopt.cli.parser import Parser
from midiopt.errors import MidiError

DESCRIPTION = "Show the facts of MIDI files."
EXAMPLES = (
    ("midiopt show song.mid", "one file"),
    ("midiopt show 'packs.zip!/a.mid' b.mid.gz", "an archive member, and another"),
    ("midiopt show *.mid --jsonl | jq .bpm", "for programs"),
)


def add_options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.examples = EXAMPLES
    parser.group("what to show").add_argument("files", nargs="+", metavar="FILE", help="a MIDI file")
    add_json_options(parser)


def command(options: argparse.Namespace) -> int:
    """Print the facts. Exit code 1 if a file cannot be read or used."""
    from midiopt.api import analyze
    from midiopt.cli.facts_table import json_object, print_facts
    from midiopt.cli.json_output import JsonItems

    failed = 0
    with JsonItems(options, "show") as items:
        for file in options.files:
            try:
                facts = analyze(file)
            except (OSError, MidiError) as problem:
                reason = problem.strerror if isinstance(problem, OSError) else problem
                print_error(f"{file}: {reason}")
                failed += 1
                continue
            if items.wanted:
                items.add({"path": file} | json_object(facts))
            else:
                print_facts(file, facts)
        items.totals = {"files": len(options.files), "failed": failed}
    return 1 if failed else 0
