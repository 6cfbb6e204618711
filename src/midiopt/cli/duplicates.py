"""midiopt duplicates: groups of files with the same bytes."""

from __future__ import annotations

import argparse

from midiopt.cli.arguments import add_library_options
from midiopt.cli.console import print_json, printable_text

TYPE_CHECKING = False  # see midiopt/__init__.py
if TYPE_CHECKING:
    from midiopt.library.duplicates import DuplicateGroup


DESCRIPTION = "List the groups of files with identical bytes, the largest group first. Nothing is written."


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_library_options(parser, json_help="print one JSON object per group, one per line, instead of a table")


def command(options: argparse.Namespace) -> int:
    """Print each group as it is found: as text, or with --json as one object per line."""
    from midiopt.cli.hidden_arguments import hide_argument
    from midiopt.library import open_library
    from midiopt.library.duplicates import duplicate_groups

    hide_argument(options.db)
    with open_library(options.db) as library:
        if not options.json:
            print(f"{'files':>7}  {'bytes each':>12}  content and paths")
        for group in duplicate_groups(library):
            if options.json:
                print_json(_object(group))
            else:
                print(_text(group))
    return 0


def _object(group: DuplicateGroup) -> dict[str, object]:
    return {"content_hash": group.content_hash.hex(), "size_bytes": group.size_bytes, "files": len(group.paths), "paths": group.paths}


def _text(group: DuplicateGroup) -> str:
    head = f"{len(group.paths):>7,}  {group.size_bytes:>12,}  {group.content_hash.hex()}"
    return "\n".join([head, *(f"{'':>23}{printable_text(path)}" for path in group.paths)])
