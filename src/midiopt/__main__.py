"""The command line as a module: python -m midiopt."""

import sys

from midiopt.cli.startup import exit_at_once, prepare_process


def main() -> int:
    """The entry point of the command ``midiopt``."""
    prepare_process()  # before numpy and the rest are imported
    from midiopt.cli import main as command_line

    code = command_line.main()
    if command_line.WITH_PROCESSES.isdisjoint(sys.argv[1:]):
        exit_at_once(code)
    return code


if __name__ == "__main__":
    sys.exit(main())
