"""Score midiopt, and other ways to find the same facts, against annotations.

    python -m accuracy.evaluate [CORPUS [TRUTH]] [--sample N]

Slow baselines run on a sample of each source (music21 took 3 minutes for 42 files). Prints the tables of docs/accuracy.md.
"""

from __future__ import annotations

from accuracy import beats, chord_loops, chords, declared, filenames, key, main_parts, phase, roles, tempo
from accuracy.corpus import make_parser, parse_arguments

# Each has report(corpus, truth, sample).
SUBJECTS = (tempo, declared, phase, beats, key, chords, chord_loops, roles, main_parts, filenames)


def main() -> None:
    """Print the report of each subject."""
    parser = make_parser(__doc__)
    parser.add_argument(
        "--sample", metavar="N", type=int, default=10, help="files per source for slow baselines, 0 for none (default: %(default)s)"
    )
    arguments = parse_arguments(parser)
    for subject in SUBJECTS:
        print(subject.report(arguments.corpus, arguments.truth, arguments.sample) + "\n")


if __name__ == "__main__":
    main()
