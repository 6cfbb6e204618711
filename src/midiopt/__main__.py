"""The command line as a module: python -m midiopt."""

import sys

from midiopt.cli.startup import prepare_process


def main() -> int:
    """The entry point of the command ``midiopt``."""
    prepare_process()  # before numpy and the rest are imported
    from midiopt.cli import main as command_line

    return command_line.main()


if __name__ == "__main__":
    sys.exit(main())
