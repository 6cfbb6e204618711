"""What a command that reads for seconds is doing, as one line on a terminal that is erased at the end."""

from __future__ import annotations

import sys
import time

from midiopt.cli.fit import fit_end

DELAY = 1.0  # seconds before anything is shown
INTERVAL = 0.1  # between two texts


class ProgressText:
    """A line on standard error, if that is a terminal."""

    def __init__(self) -> None:
        self._next = time.monotonic() + DELAY
        self._is_shown = False

    def show(self, doing: str) -> None:
        """Show what is being done, unless something was shown just now."""
        now = time.monotonic()
        if now < self._next or not sys.stderr.isatty():
            return
        self._next = now + INTERVAL
        self._is_shown = True
        print(f"\r{fit_end(doing, 60):60}", end="", file=sys.stderr, flush=True)

    def __enter__(self) -> ProgressText:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._is_shown:
            print(f"\r{'':60}\r", end="", file=sys.stderr, flush=True)
