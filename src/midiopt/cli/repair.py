"""midiopt repair: damaged files written anew, so that every program can read them."""

from __future__ import annotations

import argparse
import os

from midiopt.cli.arguments import add_json_options, add_library_options
from midiopt.cli.console import print_error
from midiopt.cli.parser import Parser
from midiopt.cli.query_arguments import query_text
from midiopt.cli.write_options import add_write_options
from midiopt.errors import SourceError

TYPE_CHECKING = False  # see midiopt/__init__.py
if TYPE_CHECKING:
    from collections.abc import Generator

    from _typeshed import ReadableBuffer as Buffer

    from midiopt.cli.json_output import JsonItems
    from midiopt.library.target_folder import TargetFolder

    Content = tuple[str, Buffer | Exception]  # path, and its content or why there is none

DESCRIPTION = (
    "Write the files that are damaged anew, as valid MIDI files with all that can be read of them, and say what was mended. The files"
    " themselves stay as they are, and those without a fault are not written."
)
EXAMPLES = (
    ("midiopt repair song.mid -o repaired", "one file"),
    ("midiopt repair 'a.zip!/x.mid' *.kar -o repaired", "also in archives"),
    ("midiopt repair bach -o repaired --db all.db", "what a search finds"),
)


def add_options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.examples = EXAMPLES
    parser.has_query = True
    parser.group("what to repair").add_argument(
        "files",
        nargs="+",
        metavar="FILE|QUERY",
        help="MIDI files, also compressed (.gz), in archives (a.zip!/x.mid) or - for standard input; or, if there is no such file, a search"
        " in the database: of what it finds, the damaged files are repaired",
    )
    add_write_options(parser)
    add_library_options(parser, as_argument=False)
    add_json_options(parser)


def command(options: argparse.Namespace) -> int:
    """Repair, and report what could not be: exit code 3 if there is such."""
    from contextlib import closing
    from itertools import chain, islice

    from midiopt.cli.json_output import JsonItems
    from midiopt.library.target_folder import TargetFolder
    from midiopt.pipeline.signals import Stop
    from midiopt.sources.content import file_identity, names_file

    is_query = not any(map(_is_file_name, options.files)) and not any(map(names_file, options.files))
    counts = dict.fromkeys(("repaired", "there", "good", "failed"), 0)
    stop = Stop()
    with closing(_found(options, counts) if is_query else _named(options.files)) as contents:
        first = list(islice(contents, 1))  # before the folder is made, so that a wrong search leaves none
        with closing(TargetFolder(options.output, options.force)) as folder, JsonItems(options, "repair") as items, stop.on_signals():
            folder.sources.update(filter(None, map(file_identity, [] if is_query else options.files)))
            for path, content in chain(first, contents):
                if stop.is_requested():
                    break
                if is_query and (identity := file_identity(path)):
                    folder.sources.add(identity)
                counts[_repair(folder, path, content, options, items)] += 1
            items.totals.update(counts)
    if not items.wanted and not options.quiet:
        print(_summary(counts) + ("; interrupted, the same command continues" if stop.signal else ""))
    return 128 + stop.signal if stop.signal else 3 if counts["failed"] else 0


def _is_file_name(text: str) -> bool:
    """Whether somebody who writes this means a file, though there may be none."""
    return text.lower().endswith((".mid", ".midi", ".smf", ".kar", ".rmi", ".gz"))


def _named(names: list[str]) -> Generator[Content]:
    from midiopt.library.found_content import FAULTS
    from midiopt.sources.content import read_content

    for name in names:
        if os.path.isdir(name):
            yield name, SourceError("it is a folder; midiopt analyze reads it, then name a search, such as status:repaired")
            continue
        try:
            content = bytes(memoryview(read_content(name)))
        except FAULTS as problem:
            yield name, problem
        else:
            yield name, content


def _found(options: argparse.Namespace, counts: dict[str, int]) -> Generator[Content]:
    """The damaged files that a search finds, with their contents; those without a fault are counted."""
    from midiopt.cli.hidden_arguments import database_url
    from midiopt.library.found_content import FoundContents
    from midiopt.library.queries import content_key
    from midiopt.library.repair import MENDED
    from midiopt.library.search import Found, find_all, parse_query
    from midiopt.library.snapshot import open_snapshot

    def is_damaged(file: Found) -> bool:
        damaged = bool((file.issues or 0) & MENDED)
        counts["good"] += not damaged and file.issues is not None
        return damaged

    query = parse_query(query_text(options.files), reads_files=True)
    with open_snapshot(database_url(options)) as library:
        for file, content in FoundContents(content_key(library)).read(filter(is_damaged, find_all(library, query, "path"))):
            yield file.path, content


def _repair(folder: TargetFolder, path: str, content: Buffer | Exception, options: argparse.Namespace, items: JsonItems) -> str:
    """Repair one file, print what was mended, and return what became of it."""
    from midiopt.library.found_content import FAULTS, reason_of
    from midiopt.library.repair import repair
    from midiopt.library.target_names import component, file_name, stem_and_suffix
    from midiopt.wording import printable_text

    try:
        if isinstance(content, Exception):
            raise content
        repaired = repair(content)
        if repaired is None:
            return "good"
        if not repaired.mended:
            raise ValueError(f"it cannot be mended: {repaired.sentence}")
        stem, suffix = stem_and_suffix(file_name(path))
        target, is_new = folder.write([component(stem), repaired.suffix or suffix], repaired.data)
    except FAULTS as problem:
        print_error(f"{path}: {reason_of(problem)}")
        if items.wanted:
            items.add({"path": path, "error": reason_of(problem)})
        return "failed"
    if items.wanted:
        items.add({"path": path, "output": target, "mended": repaired.mended, "left": repaired.left, "description": repaired.sentence})
    elif not options.quiet:
        print(f"{printable_text(path)}\n  {printable_text(target)}: {printable_text(repaired.sentence)}")
    return "repaired" if is_new else "there"


def _summary(counts: dict[str, int]) -> str:
    from midiopt.wording import counted

    parts = [
        f"{counted(counts['repaired'], 'file')} repaired",
        f"{counts['there']:,} there already" if counts["there"] else "",
        f"{counts['good']:,} without a fault" if counts["good"] else "",
        f"{counts['failed']:,} could not be" if counts["failed"] else "",
    ]
    return ", ".join(filter(None, parts))
