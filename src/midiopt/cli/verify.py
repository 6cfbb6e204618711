"""midiopt verify: analyse files again and report rows that differ."""

from __future__ import annotations

import argparse

from midiopt.cli.arguments import add_json_options, add_library_options, positive_integer
from midiopt.cli.json_output import JsonItems
from midiopt.cli.parser import Parser
from midiopt.limits import VERIFIED_FILES
from midiopt.wording import counted, printable_text

TYPE_CHECKING = False  # see midiopt/__init__.py
if TYPE_CHECKING:
    from midiopt.library.verify import Difference, VerificationCounts


DESCRIPTION = "Analyse files of a database again and report every value that differs from the stored one. Nothing is written."


EXAMPLES = (
    ("midiopt verify", "1,000 random files of midiopt.db"),
    ("midiopt verify music.db --sample 100", "fewer files of another database"),
    ("midiopt verify --all", "every file"),
)


def add_options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.examples = EXAMPLES
    add_library_options(parser)
    group = parser.group("how careful")
    group.add_argument(
        "--sample",
        type=positive_integer,
        default=VERIFIED_FILES,
        metavar="N",
        help="number of randomly chosen files to check (default: %(default)s)",
    )
    group.add_argument("--all", action="store_true", help="check all files")
    add_json_options(parser)


def command(options: argparse.Namespace) -> int:
    """Print each difference, then the counts; exit code 1 when a value differs."""
    from dataclasses import asdict

    from midiopt.cli.hidden_arguments import database_url
    from midiopt.library.snapshot import open_snapshot
    from midiopt.library.verify import Verification
    from midiopt.sinks.urls import without_password

    options.db = database_url(options)
    with open_snapshot(options.db) as library, JsonItems(options, "verify", without_password(options.db)) as items:
        verification = Verification(library, None if options.all else options.sample)
        for difference in verification.differences():
            if items.wanted:
                items.add(asdict(difference))
            else:
                print(_text(difference))
        counts = verification.counts
        items.totals = asdict(counts)
    if not items.wanted:
        print(_summary(counts))
    return 1 if counts.differing else 0


def _text(difference: Difference) -> str:
    stored, computed = map(_shown, (difference.stored, difference.computed))
    return printable_text(f"{difference.path}: {difference.column} is {stored}, and should be {computed}")


def _shown(value: object) -> object:
    """A value with the digits of a 32-bit number."""
    return "missing" if value is None else f"{value:.8g}" if isinstance(value, float) else value


def _summary(counts: VerificationCounts) -> str:
    from midiopt.library.verify import NOT_COMPARABLE

    lines = [
        f"{counted(counts.checked, 'file')} checked, {counts.differing:,} values differ;"
        f" {counted(counts.changed, 'file')} changed, {counts.gone:,} no longer there"
    ]
    if counts.cut:
        lines.append(f"{counts.cut:,} not checked: their stored paths are truncated")
    others = {status: getattr(counts, status) for status in NOT_COMPARABLE}
    if any(others.values()):
        lines.append(f"without facts to compare, in the whole database: {', '.join(f'{n:,} {status}' for status, n in others.items())}")
    return "\n".join(lines)
