"""python -m midiopt"""

import sys

from .signals import leave_quietly


def main() -> int:
    """What the command ``midiopt`` calls."""
    leave_quietly()  # before numpy and the rest are imported
    from . import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
