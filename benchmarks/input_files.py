"""The files that benchmarks run on: those of a folder, those of a list, or the bundled sample."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from midiopt.errors import SourceError
from midiopt.sources.walk import iter_paths

SAMPLE = Path(__file__).resolve().parent.parent / "sample" / "midi"


def add_options(parser: argparse.ArgumentParser, default: str = str(SAMPLE), described: str = "the bundled sample") -> None:
    """Add --corpus and --root."""
    parser.add_argument(
        "--corpus",
        metavar="DIR|@LIST",
        default=default,
        help=f"the MIDI files below a folder, or those that a list names, one path per line (default: {described})",
    )
    parser.add_argument("--root", metavar="DIR", default="", help="the folder of relative paths in @LIST (default: the current folder)")


def select(options: argparse.Namespace) -> list[bytes]:
    """The paths that --corpus and --root name, in order; SystemExit with a reason if there are none."""
    corpus = options.corpus
    try:
        if corpus.startswith("@"):
            with open(corpus[1:], "rb") as lines:
                names = [line.rstrip(b"\r\n") for line in lines]
            paths = [os.path.join(os.fsencode(options.root), name) for name in names if name]
        elif options.root:
            raise SystemExit("--root needs a list: --corpus @LIST --root DIR")
        else:
            paths = list(iter_paths([corpus]))
    except (OSError, SourceError) as problem:
        raise SystemExit(f"--corpus: {problem}") from None
    if not paths:
        raise SystemExit(f"--corpus: no MIDI files in {corpus}")
    if not any(map(os.path.exists, paths)):
        raise SystemExit(f"--corpus: none of the {len(paths):,} files exists, for example {os.fsdecode(paths[0])!r}; is --root right?")
    return paths


def every_kth(paths: list[bytes], max_count: int) -> list[bytes]:
    """At most ``max_count`` paths, evenly spaced and always the same ones."""
    return paths[:: -(-len(paths) // max_count)]
