"""midiopt split: a song as a file per track or channel."""

from __future__ import annotations

import argparse

from midiopt.cli.arguments import add_json_options
from midiopt.cli.console import print_error
from midiopt.cli.parser import Parser
from midiopt.cli.write_options import add_write_options

DESCRIPTION = (
    "Write a file for each track or channel of a song that has notes. Each has the tempo, meter and keys of the song, so that all start and"
    " play together. The song itself stays as it is; a damaged one is split as it is read."
)
EXAMPLES = (
    ("midiopt split song.mid -o tracks", "'song - 02 Bass.mid' and so on"),
    ("midiopt split song.mid --by channel -o parts", "of a song with one track"),
    ("midiopt split song.mid -o tracks --force", "replace files of that name"),
)


def add_options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.examples = EXAMPLES
    group = parser.group("what to split")
    group.add_argument(
        "files", nargs="+", metavar="FILE", help="MIDI files, also compressed (.gz), in archives (a.zip!/x.mid) or - for standard input"
    )
    group.add_argument(
        "--by", choices=["track", "channel"], default="track", help="a file per track, or per channel of each port (default: track)"
    )
    add_write_options(parser)
    add_json_options(parser)


def command(options: argparse.Namespace) -> int:
    """Split, and report what could not be: exit code 3 if there is such."""
    from contextlib import closing

    from midiopt.cli.json_output import JsonItems
    from midiopt.library.found_content import FAULTS, reason_of
    from midiopt.library.split_song import split_song
    from midiopt.library.target_folder import TargetFolder
    from midiopt.library.target_names import component, file_name, stem_and_suffix
    from midiopt.sources.content import file_identity, read_content
    from midiopt.wording import counted, printable_text

    failed = written = there = 0
    folder = TargetFolder(options.output, options.force)
    folder.sources.update(filter(None, map(file_identity, options.files)))
    with closing(folder), JsonItems(options, "split") as items:
        for file in options.files:
            try:
                parts = split_song(read_content(file), options.by)
                if not parts:
                    raise ValueError("it has no notes")
                for part in parts:
                    stem, _ = stem_and_suffix(file_name(file))
                    target, is_new = folder.write([component(f"{stem} - {part.name}"), ".mid"], part.data)
                    written, there = written + is_new, there + (not is_new)
                    if items.wanted:
                        items.add({"path": file, "output": target, "part": part.name})
                    elif not options.quiet:
                        print(printable_text(target))
            except FAULTS as problem:
                print_error(f"{file}: {reason_of(problem)}")
                failed += 1
                if items.wanted:
                    items.add({"path": file, "error": reason_of(problem)})
        items.totals = {"written": written, "there": there, "failed": failed}
    if not items.wanted and not options.quiet:
        unsplit = f", {counted(failed, 'song')} could not be split" if failed else ""
        print(f"{counted(written, 'file')} written" + (f", {there:,} there already" if there else "") + unsplit)
    return 3 if failed else 0
