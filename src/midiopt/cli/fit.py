"""Text that is cut to the width of a terminal: characters of East Asia take two columns, combining ones none."""

from __future__ import annotations

import unicodedata

ELLIPSIS = "…"


def cell_len(text: str) -> int:
    """The number of columns that a text takes."""
    return len(text) if text.isascii() else sum(map(_width, text))


def fit_end(text: str, width: int) -> str:
    """The beginning of the text, if it is too wide."""
    if cell_len(text) <= width:
        return text
    if width < 1:
        return ""
    end, room = 0, width - 1
    while (room := room - _width(text[end])) >= 0:
        end += 1
    return text[:end] + ELLIPSIS


def fit_path(path: str, width: int) -> str:
    """The end of the path, if it is too wide: from a whole name on if that leaves more than half."""
    if cell_len(path) <= width:
        return path
    if width < 1:
        return ""
    start, room = len(path), width - 1
    while (room := room - _width(path[start - 1])) >= 0:
        start -= 1
    slash = path.find("/", start)
    if 0 <= slash < len(path) - 1 and cell_len(path[slash:]) > width // 2:
        start = slash
    return ELLIPSIS + path[start:]


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
