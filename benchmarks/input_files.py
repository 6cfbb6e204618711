"""The files that benchmarks run on: a folder, a list, or the bundled sample."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from midiopt.errors import SourceError
from midiopt.sources.walk import iter_paths

SAMPLE = Path(__file__).resolve().parent.parent / "sample" / "midi"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--corpus",
        metavar="DIR|@LIST",
        default=str(SAMPLE),
        help="time on the MIDI files below this folder, or on those a list names, one path a line (default: the bundled sample)",
    )
    parser.add_argument("--root", metavar="DIR", default="", help="where the paths in @LIST start from (default: the current folder)")


def chosen(options: argparse.Namespace) -> list[bytes]:
    """The paths that the options name, in order; SystemExit with a reason when there are none."""
    corpus = options.corpus
    try:
        if corpus.startswith("@"):
            with open(corpus[1:], "rb") as lines:
                names = [line.rstrip(b"\r\n") for line in lines]
            paths = [os.path.join(os.fsencode(options.root), name) for name in names if name]
        elif options.root:
            raise SystemExit("--root goes with a list: --corpus @LIST --root DIR")
        else:
            paths = list(iter_paths([corpus]))
    except (OSError, SourceError) as problem:
        raise SystemExit(f"--corpus: {problem}") from None
    if not paths:
        raise SystemExit(f"--corpus: no MIDI files in {corpus}")
    if not any(map(os.path.exists, paths)):
        raise SystemExit(f"--corpus: none of the {len(paths):,} files exists, {os.fsdecode(paths[0])!r} for one; does --root fit?")
    return paths


def thinned(paths: list[bytes], most: int) -> list[bytes]:
    """At most so many of the files, evenly from all of them and always the same: every k-th."""
    return paths[:: -(-len(paths) // most)]
