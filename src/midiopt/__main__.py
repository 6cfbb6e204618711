"""python -m midiopt"""

import sys

if __name__ == "__main__":
    try:
        from .cli import main

        sys.exit(main())
    except KeyboardInterrupt:  # before the run could see to it
        sys.exit(130)
