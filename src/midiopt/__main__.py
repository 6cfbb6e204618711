"""python -m midiopt"""

import sys

from midiopt.cli.startup import begin


def main() -> int:
    """What the command ``midiopt`` calls."""
    begin()  # before numpy and the rest are imported
    from midiopt.cli import main as command_line

    return command_line.main()


if __name__ == "__main__":
    sys.exit(main())
