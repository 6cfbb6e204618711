"""midiopt show: the facts of files."""

from __future__ import annotations

import argparse

from midiopt.cli.arguments import add_json_options
from midiopt.cli.console import print_error
from midiopt.cli.parser import Parser
from midiopt.errors import MidiError, MidioptError

DESCRIPTION = "Show the facts of MIDI files, and on a terminal their notes, chords, keys and tempo over time."
EXAMPLES = (
    ("midiopt show song.mid", "one file"),
    ("midiopt show 'packs.zip!/a.mid' b.mid.gz", "an archive member, and another"),
    ("midiopt show *.mid --jsonl | jq .bpm", "for programs"),
)


def add_options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.examples = EXAMPLES
    parser.group("what to show").add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="a MIDI file, also .gz .bz2 .xz .zst, a member of an archive (a.zip!/x.mid), or - for a file from standard input; "
        "paths may be written as the database writes them",
    )
    add_json_options(parser)


def command(options: argparse.Namespace) -> int:
    """Print the facts. Exit code 1 if a file cannot be read or used."""
    from midiopt.api.one_file import analyze
    from midiopt.cli.facts_table import print_facts
    from midiopt.cli.json_output import JsonItems
    from midiopt.schema import REJECTED, STATUSES, UNREADABLE
    from midiopt.sources.content import read_content

    failed = shown = 0
    with JsonItems(options, "show") as items:
        for file in options.files:
            try:
                content = memoryview(read_content(file))
                facts = analyze(content)
            except (OSError, MidioptError) as problem:
                reason = (problem.strerror or str(problem)) if isinstance(problem, OSError) else str(problem)
                print_error(f"{file}: {reason}")
                failed += 1
                if items.wanted:
                    status = STATUSES[REJECTED if isinstance(problem, MidiError) else UNREADABLE]
                    items.add({"path": file, "status": status, "error": reason})
                continue
            if items.wanted:
                items.add({"path": file} | facts.to_dict())
            else:
                print("\n" * bool(shown), end="")
                print_facts(file, facts, content)
            shown += 1
        items.totals = {"files": len(options.files), "failed": failed}
    return 1 if failed else 0
