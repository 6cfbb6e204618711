"""Text for people: names from files must not act on the terminal, and a closed pipe is no crash."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from rich.text import Text


def plain(text: str) -> Text:
    """A text as it is: no rich markup, and what cannot be printed (escape sequences above all) as U+FFFD."""
    return Text("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text))


def guarded(command: Callable[[], int]) -> int:
    """Run a command whose standard output may be closed early (`| head`) or may not know every letter."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = command()
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
