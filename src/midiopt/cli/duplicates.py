"""midiopt duplicates: groups of files with the same bytes, or nearly the same music."""

from __future__ import annotations

import argparse
import sys

from midiopt.cli.arguments import add_json_options, add_library_options
from midiopt.cli.json_output import JsonItems
from midiopt.cli.parser import Parser
from midiopt.wording import counted, printable_text, size_text

TYPE_CHECKING = False  # see midiopt/__init__.py
if TYPE_CHECKING:
    from midiopt.library.duplicates import DuplicateGroup
    from midiopt.library.near import NearGroup


DESCRIPTION = "List the groups of files with identical bytes, or with --near nearly the same music, the largest first. Nothing is written."


EXAMPLES = (
    ("midiopt duplicates", "of midiopt.db"),
    ("midiopt duplicates --near", "nearly the same music"),
    ("midiopt duplicates --jsonl | jq -r '.paths[1:][]'", "all but the first"),
)


def add_options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.examples = EXAMPLES
    add_library_options(parser)
    group = parser.group("what to list").add_mutually_exclusive_group()
    group.add_argument("--missing", action="store_true", help="list files that no run has found again, too; without, they are left out")
    group.add_argument("--near", action="store_true", help="list files with other bytes and nearly the same music, and what differs")
    add_json_options(parser)


def command(options: argparse.Namespace) -> int:
    """Print each group as it is found."""
    from midiopt.cli.hidden_arguments import database_url
    from midiopt.library.duplicates import duplicate_groups
    from midiopt.library.snapshot import open_snapshot
    from midiopt.sinks.urls import without_password

    options.db = database_url(options)
    if options.near:
        return _print_near(options)
    groups = files = size = 0
    with open_snapshot(options.db) as library, JsonItems(options, "duplicates", without_password(options.db)) as items:
        for group in duplicate_groups(library, options.missing):
            if not groups and not items.wanted:
                print(f"{'files':>7}  {'bytes each':>12}  content and paths")
            groups += 1
            beyond_first = max(0, len(group.paths) - 1)
            files += beyond_first
            size += group.size_bytes * beyond_first
            if items.wanted:
                items.add(_object(group))
            else:
                print(_text(group))
        items.totals = {"groups": groups, "duplicates": files, "duplicate_bytes": size}
        if not items.wanted:
            total = f"{counted(groups, 'group')}; {counted(files, 'file')} beyond the first of each, {size_text(size)}"
            sys.stdout.flush()
            print(total if groups else "no file has the bytes of another", file=sys.stderr)
    return 0


def _print_near(options: argparse.Namespace) -> int:
    from midiopt.library.near import near_groups
    from midiopt.library.snapshot import open_snapshot
    from midiopt.sinks.urls import without_password

    groups = files = 0
    with open_snapshot(options.db) as library, JsonItems(options, "duplicates", without_password(options.db)) as items:
        for group in near_groups(library):
            if not groups and not items.wanted:
                print(f"{'files':>7}  paths, and what differs from the first")
            groups += 1
            files += len(group.files)
            if items.wanted:
                items.add({"files": [{"path": file.path, "differs": file.differs} for file in group.files], "contents": group.contents})
            else:
                print(_near_text(group))
        items.totals = {"groups": groups, "files": files}
        if not items.wanted:
            total = f"{counted(groups, 'group')} with {counted(files, 'file')}"
            sys.stdout.flush()
            print(total if groups else "no file is a near-duplicate of another", file=sys.stderr)
    return 0


def _near_text(group: NearGroup) -> str:
    lines = []
    for i, file in enumerate(group.files):
        lines.append(f"{f'{len(group.files):,}' if i == 0 else '':>7}  {printable_text(file.path)}")
        if file.differs:
            lines.append(f"{'':11}{printable_text(', '.join(file.differs))}")
    return "\n".join(lines)


def _object(group: DuplicateGroup) -> dict[str, object]:
    facts = {"content_hash": group.content_hash.hex(), "size_bytes": group.size_bytes, "files": len(group.paths), "paths": group.paths}
    others = {"links": group.links, "missing": group.missing}
    return facts | {name: paths for name, paths in others.items() if paths}


def _text(group: DuplicateGroup) -> str:
    head = f"{len(group.paths):>7,}  {group.size_bytes:>12,}  {group.content_hash.hex()}"
    lines = [
        *group.paths,
        *(f"{path} (another name of one of these files)" for path in group.links),
        *(f"{path} (missing)" for path in group.missing),
    ]
    return "\n".join([head, *(f"{'':>23}{printable_text(line)}" for line in lines)])
