"""midiopt duplicates: which files have the same bytes."""

from __future__ import annotations

import argparse
import json

from midiopt.cli.console import plain
from midiopt.library import open_library
from midiopt.library.duplicates import groups

DESCRIPTION = "List the files whose bytes another file has too, in groups, the largest group first. Only the database is read."


def command(options: argparse.Namespace) -> int:
    """Print every group as it is found: a text table, or with --json an object a line."""
    with open_library(options.db) as library:
        if not options.json:
            print(f"{'files':>7}  {'bytes each':>12}  content and paths")
        for group in groups(library):
            if options.json:
                facts = {"content_hash": group.content_hash.hex(), "size_bytes": group.size_bytes, "files": len(group.paths)}
                print(json.dumps({**facts, "paths": group.paths}, ensure_ascii=False))
                continue
            print(f"{len(group.paths):>7,}  {group.size_bytes:>12,}  {group.content_hash.hex()}")
            for path in group.paths:
                print(f"{'':>23}{plain(path).plain}")
    return 0
