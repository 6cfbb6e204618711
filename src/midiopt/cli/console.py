"""Output on a terminal: text from files must not control it, and a closed pipe is not an error worth a traceback."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Callable

NOTHING_FOUND = "no MIDI files found (.mid .midi .smf .kar .rmi, and archives)"


def passed_links(count: int) -> str:
    """The sentence about symbolic links that were not followed."""
    links, them = ("link was", "it") if count == 1 else ("links were", "them")
    return f"{count:,} symbolic {links} passed; --follow-links follows {them}"


def is_printable(c: str) -> bool:
    """Whether a character is shown as itself: no control character, line separator, bidirectional control, surrogate or the like."""
    return c.isprintable() or unicodedata.category(c) == "Zs"  # isprintable() is False for spaces other than that of ASCII


def printable_text(text: str) -> str:
    """The text with U+FFFD for each character that is not printable: escape sequences, overrides of direction, line ends."""
    return text if text.isprintable() else "".join(c if is_printable(c) else "\N{REPLACEMENT CHARACTER}" for c in text)


def print_error(problem: object) -> None:
    """Print what went wrong as one line on standard error."""
    print(f"midiopt: {printable_text(str(problem))}", file=sys.stderr)


def clock(seconds: float) -> str:
    """A duration as M:SS or H:MM:SS."""
    minutes, seconds = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


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
