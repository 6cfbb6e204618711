"""Text that is cut to the width of a terminal: characters of East Asia take two columns."""

from __future__ import annotations

from rich.cells import cell_len, chop_cells

ELLIPSIS = "…"


def fit_end(text: str, width: int) -> str:
    """The beginning of the text, if it is too wide."""
    if cell_len(text) <= width:
        return text
    return (chop_cells(text, width - 1)[0] if width > 1 else "") + ELLIPSIS


def fit_path(path: str, width: int) -> str:
    """The end of the path, if it is too wide: from a whole name on if that leaves more than half."""
    if cell_len(path) <= width:
        return path
    end = len(path)
    room = width - 1
    while end and (room := room - cell_len(path[end - 1])) >= 0:
        end -= 1
    slash = path.find("/", end)
    if 0 <= slash < len(path) - 1 and cell_len(path[slash:]) > width // 2:
        end = slash
    return ELLIPSIS + path[end:]
