"""Output on a terminal: text from files must not control it, and a closed pipe is not an error worth a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from rich.text import Text


def printable(text: str) -> Text:
    """The text without rich markup, with U+FFFD for each character that cannot be printed (above all escape sequences)."""
    return Text("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text))


def run_command(command: Callable[[], int]) -> int:
    """Run a command and return its exit code; 1 when standard output is closed early (`| head`).

    Characters that the encoding of standard output lacks are escaped.
    """
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = command()
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
