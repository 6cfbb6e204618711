"""Words for people: text from files in printable characters, numbers of things, sizes, and durations as a clock shows them."""

from __future__ import annotations

import unicodedata


def is_printable(c: str) -> bool:
    """Whether a character is shown as itself: no control character, line separator, bidirectional control, surrogate or the like."""
    return c.isprintable() or unicodedata.category(c) == "Zs"  # isprintable() is False for spaces other than that of ASCII


def printable_text(text: str) -> str:
    """The text with U+FFFD for each character that is not printable: escape sequences, overrides of direction, line ends."""
    return text if text.isprintable() else "".join(c if is_printable(c) else "\N{REPLACEMENT CHARACTER}" for c in text)


def counted(number: int, noun: str) -> str:
    """A number of things: ``1 file``, ``2,000 files``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size_text(size: float) -> str:
    """A size in the largest unit of thousands that leaves a number of at least 1, as it is rounded."""
    for unit, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "KB")):
        if size >= 0.99995 * unit:
            return f"{size / unit:,.1f} {name}"
    return f"{size:,} B"


def clock(seconds: float) -> str:
    """A duration as M:SS or H:MM:SS."""
    minutes, seconds = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
