"""midiopt verify: analyse files again and report rows that differ."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from midiopt.cli.arguments import Subparsers, add_library_options, positive_integer
from midiopt.cli.console import print_json, printable_text
from midiopt.cli.hidden_arguments import hide_argument
from midiopt.library import open_library
from midiopt.library.verify import DEFAULT_SAMPLE, NOT_COMPARABLE, Difference, Verification, VerificationCounts


def add_parser(subparsers: Subparsers) -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser(
        "verify",
        help="analyse files again and report rows that differ",
        description="Analyse files of a database again and report every value that differs from the stored one. Nothing is written.",
    )
    add_library_options(parser, json_help="print one JSON object per difference and one of counts, one per line, instead of text")
    parser.add_argument(
        "--sample",
        type=positive_integer,
        default=DEFAULT_SAMPLE,
        metavar="N",
        help="number of randomly chosen files to check (default: %(default)s)",
    )
    parser.add_argument("--all", action="store_true", help="check all files")
    parser.set_defaults(run=command)


def command(options: argparse.Namespace) -> int:
    """Print each difference, then the counts; exit code 1 when a value differs."""
    hide_argument(options.db)
    with open_library(options.db) as library:
        verification = Verification(library, None if options.all else options.sample)
        for difference in verification.differences():
            if options.json:
                print_json(asdict(difference))
            else:
                print(_text(difference))
    counts = verification.counts
    if options.json:
        print_json(asdict(counts))
    else:
        print(_summary(counts))
    return 1 if counts.differing else 0


def _text(difference: Difference) -> str:
    d = difference
    return printable_text(f"{d.table} {d.key}: {d.column} is {d.stored!r}, not {d.computed!r}")


def _summary(counts: VerificationCounts) -> str:
    lines = [
        f"{counts.checked:,} files checked, {counts.differing:,} values differ;"
        f" {counts.changed:,} files changed, {counts.gone:,} no longer there"
    ]
    if counts.cut:
        lines.append(f"{counts.cut:,} not checked: their stored paths are truncated")
    others = {status: getattr(counts, status) for status in NOT_COMPARABLE}
    if any(others.values()):
        lines.append(f"without facts to compare, in the whole database: {', '.join(f'{n:,} {status}' for status, n in others.items())}")
    return "\n".join(lines)
