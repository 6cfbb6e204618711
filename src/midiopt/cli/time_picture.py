"""A file over time: its notes, and below them chords, key, meter and tempo."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from midiopt.api.harmony import harmony
from midiopt.api.one_file import notes
from midiopt.api.tempo_map import tempo_map
from midiopt.cli.piano_roll import roll_lines
from midiopt.cli.time_lines import time_lines

MIN_SECONDS = 0.1  # that the picture covers
MIN_WIDTH, MAX_WIDTH = 30, 400  # terminal columns


def picture(content: memoryview, width: int, is_coloured: bool) -> Iterator[Text]:
    """Lines of up to `width` columns, of a file that has notes. Without colours all tracks look alike."""
    width = min(width, MAX_WIDTH)
    if width < MIN_WIDTH:
        return
    found = notes(content)
    seconds = max(float(found.end_s.max()), MIN_SECONDS)
    yield from roll_lines(found, seconds, width, is_coloured)
    yield from time_lines(harmony(content), tempo_map(content), seconds, width)
