"""The run as a module: python -m midiopt.orchestrator SOURCE [SOURCE ...] [--db URL]"""

import sys

from midiopt.cli.startup import begin

if __name__ == "__main__":
    begin()  # before numpy and the rest are imported

from midiopt.cli.analyze import main
from midiopt.pipeline.run import run

__all__ = ["main", "run"]

if __name__ == "__main__":
    sys.exit(main())
