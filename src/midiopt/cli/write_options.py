"""The options and the summary of commands that write MIDI files into a folder."""

from __future__ import annotations

from midiopt.cli.arguments import OUTPUT, WHERE
from midiopt.cli.parser import Parser


def add_write_options(parser: Parser) -> None:
    """Add the options for the folder, and for what is there already."""
    group = parser.group(WHERE)
    group.add_argument(
        "-o", "--output", required=True, metavar="DIR", help="write the files into this folder; a name that is taken gets a number"
    )
    group.add_argument("--force", action="store_true", help="replace files of this name instead, but never one that is read")
    parser.group(OUTPUT).add_argument("-q", "--quiet", action="store_true", help="print only what could not be done")
