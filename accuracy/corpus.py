"""Where the corpus of real MIDI files lies: the folder that MIDIOPT_CORPUS names, by default ../shared/corpus beside the project.

It is not part of the project. `dev/` below it holds MIDI files, `truth/` tables of annotations (accuracy/ground_truth.py); `more/`, if
there, holds further collections that declare their tempos and meters.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
CORPUS = Path(os.environ.get("MIDIOPT_CORPUS") or PROJECT.parent / "shared" / "corpus")
FILES = CORPUS / "dev"
TRUTH = CORPUS / "truth"


def make_parser(description: str | None) -> argparse.ArgumentParser:
    """A parser for the command line of a program that reads annotated files."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path, nargs="?", default=FILES, help="folder of MIDI files (default: %(default)s)")
    parser.add_argument("truth", type=Path, nargs="?", default=TRUTH, help="folder of annotation tables (default: %(default)s)")
    return parser


def parse_arguments(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The arguments of the command line; exits unless both folders exist."""
    arguments = parser.parse_args()
    for folder in (arguments.corpus, arguments.truth):
        if not folder.is_dir():
            parser.error(f"{folder} is not a folder (MIDIOPT_CORPUS names another corpus)")
    return arguments


def midi_files(folder: Path) -> list[Path]:
    """The MIDI files below a folder, in the order of their names."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".mid", ".midi"))


def beside(corpus: Path) -> list[Path]:
    """The folders of further collections beside a corpus that are there: `more`, and `folk` of training/folk_tunes.py."""
    return [folder for name in ("more", "folk") if (folder := corpus.parent / name).is_dir()]


def all_folders(corpus: Path) -> list[Path]:
    """The folders of all collections, of a corpus and beside it."""
    return sorted(each for parent in (corpus, *beside(corpus)) for each in parent.iterdir() if each.is_dir())


def load_mir_eval() -> Any:
    """The module with the measures of music information retrieval; exits without it."""
    try:
        import mir_eval
    except ImportError:
        raise SystemExit("make eval needs mir_eval: pip install 'midiopt[eval]'") from None
    return mir_eval
