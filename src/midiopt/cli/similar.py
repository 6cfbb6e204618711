"""midiopt similar: the files of a database whose music is similar to that of a file."""

from __future__ import annotations

import argparse

from midiopt.cli.arguments import add_json_options, add_library_options, positive_integer
from midiopt.cli.json_output import JsonItems
from midiopt.cli.parser import Parser

TYPE_CHECKING = False  # see midiopt/__init__.py
if TYPE_CHECKING:
    from midiopt.library.similar import Similar

DESCRIPTION = (
    "List the files of a database with similar music, most similar first: also transposed, in another tempo, with a track more or less,"
    " or only a part. Nothing is written."
)
LIMIT = 20  # as in library/similar.py

EXAMPLES = (
    ("midiopt similar song.mid", "a file, in the database or not"),
    ("midiopt similar song.mid --min-score .5", "only what is nearly the same"),
    ("midiopt similar song.mid --jsonl | jq -r .path", "for programs"),
)


def add_options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.examples = EXAMPLES
    group = parser.group("what to find")
    group.add_argument("file", metavar="FILE", help="a path in the database, or any MIDI file (also .gz .bz2 .xz .zst, a.zip!/x.mid, or -)")
    group.add_argument(
        "--limit", type=positive_integer, metavar="N", default=LIMIT, help=f"list at most this many files (default: {LIMIT})"
    )
    group.add_argument(
        "--min-score", type=score, metavar="SCORE", default=0.1, help="the least score, more than 0 and at most 1 (default: 0.1)"
    )
    add_library_options(parser, as_argument=False)
    add_json_options(parser)


def score(text: str) -> float:
    """A score above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"must be a number above 0 and at most 1, such as .5, not {text!r}")
    return value


def command(options: argparse.Namespace) -> int:
    """Print the files."""
    import sys

    from midiopt.cli.hidden_arguments import database_url
    from midiopt.library.similar import similar
    from midiopt.library.snapshot import open_snapshot
    from midiopt.sinks.urls import without_password

    options.db = database_url(options)
    with open_snapshot(options.db) as library:
        found = similar(library, options.file, options.limit, options.min_score)
    with JsonItems(options, "similar", without_password(options.db)) as items:
        if items.wanted:
            for file in found:
                items.add(_object(file))
            items.totals = {"files": len(found)}
        elif found:
            print("score  path")
            for file in found:
                print(_text(file))
        else:
            print("no file is similar", file=sys.stderr)
    return 0


def _object(file: Similar) -> dict[str, object]:
    names = ("path", "score", "differs", "title", "bpm", "key", "note_count")
    return {name: getattr(file, name) for name in names} | {"score": round(file.score, 3)}


def _text(file: Similar) -> str:
    from midiopt.wording import printable_text

    differs = f"\n{'':7}{printable_text(', '.join(file.differs))}" if file.differs else ""
    return f"{file.score:5.2f}  {printable_text(file.path)}{differs}"
