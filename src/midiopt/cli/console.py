"""Output on a terminal: text from files must not control it, and a closed pipe is not an error worth a traceback."""

from __future__ import annotations

import argparse
import os
import sys
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

TYPE_CHECKING = False  # see midiopt/__init__.py
if TYPE_CHECKING:
    from typing import Any, NoReturn


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


def print_json(value: object, default: Callable[[object], str] | None = None) -> None:
    """Print a value as one line of JSON, in which characters that are not printable are escaped."""
    import json

    text = json.dumps(value, ensure_ascii=False, default=default)
    print(text if text.isprintable() else "".join(c if is_printable(c) else json.dumps(c)[1:-1] for c in text))


class Parser(argparse.ArgumentParser):
    """A parser of command lines whose errors quote arguments in printable characters only.

    An option of ``values`` takes one after an equals sign only, so that it never takes the source that follows it.
    """

    values: Mapping[str, str] = MappingProxyType({})  # by option, the value that it has without one

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> tuple[Any, list[str]]:  # type: ignore[override]
        """Complete the options that stand without a value."""
        words = list(sys.argv[1:] if args is None else args)
        end = words.index("--") if "--" in words else len(words)
        words[:end] = [f"{word}={self.values[word]}" if word in self.values else word for word in words[:end]]
        return super().parse_known_args(words, namespace)

    def error(self, message: str) -> NoReturn:
        """Print the message and how to get help, and exit with code 2."""
        self.exit(2, f"{self.prog}: {printable_text(message)}; {self.prog} --help explains the arguments\n")


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
