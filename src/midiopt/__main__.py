"""The command line as a module: python -m midiopt."""

from typing import NoReturn

from midiopt.cli.startup import end_process, prepare_process


def main() -> NoReturn:
    """The entry point of the command ``midiopt``."""
    prepare_process()  # before numpy and the rest are imported
    from midiopt.cli.main import main as run_command_line

    end_process(run_command_line())


if __name__ == "__main__":
    main()
