"""Score midiopt and other ways to find the same facts against what experts wrote: docs/accuracy.md.

    python -m accuracy.evaluate CORPUS TRUTH [--sample N]

CORPUS is a folder of MIDI files, TRUTH one of tables (accuracy/annotations.py has their columns). Slow baselines run on N
files of each source (10 unless told otherwise: music21 took 3 minutes for 42). Prints Markdown.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from accuracy import chords, filenames, key, tempo

SUBJECTS = (tempo, key, chords, filenames)  # each has report(corpus, truth, sample)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--sample", type=int, default=10)
    options = parser.parse_args()
    for folder in (options.corpus, options.truth):
        if not folder.is_dir():
            parser.error(f"{folder} is not a folder")
    for subject in SUBJECTS:
        print(subject.report(options.corpus, options.truth, options.sample) + "\n")


if __name__ == "__main__":
    main()
