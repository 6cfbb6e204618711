"""Text in rich's tables: it comes from files, so it is printed without markup and without control characters."""

from __future__ import annotations

from rich.text import Text

from midiopt.wording import printable_text


def printable(text: str) -> Text:
    """Like :func:`midiopt.wording.printable_text`, as rich takes it."""
    return Text(printable_text(text))
