"""The facts of a file as HTML for notebooks: a small table and a piano roll."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from midiopt.api.analysis import Analysis
from midiopt.api.one_file import Notes, notes_of
from midiopt.display.fact_sections import sections
from midiopt.display.svg import Chart, element, text_of
from midiopt.wording import clock, counted

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

COLUMNS = 600  # of the picture: shorter notes and rests are drawn as one column
ROW = 3  # units for a half tone
# Legible on a light and on a dark page, which the output of a cell may have. Tracks with notes take them in turn.
COLOURS = ("#2f8fd8", "#e07b1f", "#2fa36b", "#cf4fa0", "#7d6fe0", "#b39a00", "#d9534f", "#159a9c")
DRUM_COLOUR = "#8a8f98"


def analysis_html(facts: Analysis) -> str:
    """The table, and the picture where the content can still be read."""
    rows = [
        element("tr", element("th", text_of(fact.name), style="text-align: left") + element("td", _cell(fact.value, fact.remark)))
        for _, found in list(sections(facts))[:1]
        for fact in found
    ]
    caption = "" if facts.source is None else element("caption", text_of(facts.source), style="text-align: left")
    found = notes_of(facts)
    picture = piano_roll(found, facts.duration_s, facts.content_hash.hex()) if found is not None and len(found) else ""
    return element("div", element("table", caption + element("tbody", "".join(rows))) + picture, class_="midiopt")


def _cell(value: str, remark: str) -> str:
    shown = element("div", text_of(value), style="text-align: left")
    return shown + (element("small", text_of(remark)) if remark else "")


def piano_roll(notes: Notes, seconds: float, name: str) -> str:
    """The notes as an inline SVG: pitches upward, below them a line for each drum, a colour for each track.

    ``name`` tells the picture from others on the page."""
    import numpy as np

    end = max(seconds, float(notes.end_s.max()), 1e-3)
    pitch, drum = notes.pitch.astype(np.int64), notes.is_drum
    low, high = (int(pitch[~drum].min()), int(pitch[~drum].max())) if not drum.all() else (0, -1)
    drums = np.unique(pitch[drum])
    row = np.where(drum, high - low + 2 + np.searchsorted(drums, pitch), high - pitch)
    first = np.minimum(notes.onset_s / end * COLUMNS, COLUMNS - 1).astype(np.int64)
    last = np.maximum(np.ceil(np.minimum(notes.end_s, end) / end * COLUMNS).astype(np.int64), first + 1)
    last[drum] = first[drum] + 1
    tracks = np.unique(notes.track[~drum])
    colour = np.where(drum, len(COLOURS), np.searchsorted(tracks, notes.track) % len(COLOURS))
    height = (int(row.max()) + 1) * ROW
    about = f"{counted(len(notes), 'note')} in {clock(seconds)}"
    chart = Chart(f"midiopt-{name}", "Piano roll", about, height, COLUMNS)
    for number, fill in enumerate((*COLOURS, DRUM_COLOUR)):
        mine = colour == number
        if mine.any():
            lines = "".join(_lines(row[mine], first[mine], last[mine]))
            chart.path(lines, stroke=fill, stroke_width=ROW, fill="none")
    return element("div", chart.svg(), style="max-width: 60em; padding: .5em 0")


def _lines(row: npt.NDArray[np.int64], first: npt.NDArray[np.int64], last: npt.NDArray[np.int64]) -> Iterator[str]:
    """The columns in which each row sounds, as parts of a path: their number is bounded by the size of the picture."""
    import numpy as np

    changes = np.zeros((int(row.max()) + 1, COLUMNS + 2), np.int64)
    np.add.at(changes, (row, first), 1)
    np.add.at(changes, (row, last), -1)
    is_edge = np.diff(changes.cumsum(axis=1) > 0, axis=1, prepend=False)
    at, column = np.nonzero(is_edge)
    for y, start, end in zip(at[::2].tolist(), column[::2].tolist(), column[1::2].tolist(), strict=True):
        yield f"M{start} {y * ROW + ROW / 2:g}h{end - start}"
