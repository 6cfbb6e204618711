"""The notes of a file as a picture of half blocks, two steps of pitch to a line: colours are tracks, drums stand apart."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import numpy as np
import numpy.typing as npt
from rich.text import Text

from midiopt.api.one_file import Notes
from midiopt.cli.fit import fit_end
from midiopt.general_midi import PROGRAMS
from midiopt.schema import MINOR_TONICS

GUTTER = 7  # columns before the picture, for the names of pitches and of lines
MAX_LINES = 20  # of pitches: a wider range has several half tones to a step
# Of the palette of 256 colours, legible on light and on dark. Tracks with notes take them in turn.
COLOURS = (33, 208, 35, 170, 37, 203, 178, 99, 107, 205, 67, 137)
DRUM_COLOUR = 244
BARS = "▁▂▃▄▅▆▇█"
DRUMS = {  # lines of drums by the pitches of General MIDI; all other pitches are percussion
    "cymbal": (49, 51, 52, 53, 55, 57, 59),
    "hi-hat": (42, 44, 46),
    "tom": (41, 43, 45, 47, 48, 50),
    "snare": (37, 38, 39, 40),
    "kick": (35, 36),
}
OTHER_DRUMS = "perc."

Grid = npt.NDArray[np.int64]


def roll_lines(notes: Notes, seconds: float, width: int, is_coloured: bool) -> Iterator[Text]:
    """The picture of the first so many seconds in `width` columns: pitches, drums, then which colour is which track."""
    columns = width - GUTTER
    track, drum = np.asarray(notes.track), np.asarray(notes.is_drum)
    first, last = _columns_of(notes, seconds, columns)
    pitched = ~drum
    tracks = np.unique(track[pitched])
    if pitched.any():
        colour = np.searchsorted(tracks, track[pitched]) % len(COLOURS)
        yield from _pitch_lines(notes.pitch[pitched].astype(np.int64), colour, first[pitched], last[pitched], columns, is_coloured)
    if drum.any():
        yield from _drum_lines(notes.pitch[drum], first[drum], columns)
    if len(tracks) > 1 and is_coloured:
        yield _legend(notes, tracks, width)


def _columns_of(notes: Notes, seconds: float, columns: int) -> tuple[Grid, Grid]:
    """The first column of each note, and the one after its last: at least one."""
    scale = columns / seconds
    first = np.minimum(notes.onset_s * scale, columns - 1).astype(np.int64)
    last = np.minimum(np.ceil(notes.end_s * scale - 1e-9), columns).astype(np.int64)
    return first, np.maximum(last, first + 1)


def _pitch_lines(pitch: Grid, colour: Grid, first: Grid, last: Grid, columns: int, is_coloured: bool) -> Iterator[Text]:
    low, high = int(pitch.min()), int(pitch.max())
    step = -(-(high - low + 1) // (2 * MAX_LINES))  # half tones
    low -= low % step
    lines = (high - low) // (2 * step) + 1
    cells = _strongest(colour, (pitch - low) // step, first, last, 2 * lines, columns)
    for line in range(lines - 1, -1, -1):
        lowest = low + 2 * step * line
        octave = next((p for p in range(lowest, lowest + 2 * step) if p % 12 == 0), None)
        label = octave if octave is not None else lowest if line == 0 and high - low < 12 else None
        text = Text.assemble((_gutter("" if label is None else f"{MINOR_TONICS[label % 12]}{label // 12 - 1}"), "dim"))
        halves = zip(cells[2 * line + 1].tolist(), cells[2 * line].tolist(), strict=True)
        for (character, style), same in groupby(_cell(upper, lower, octave is not None, is_coloured) for upper, lower in halves):
            text.append(character * len(list(same)), style)
        yield text


def _strongest(colour: Grid, row: Grid, first: Grid, last: Grid, rows: int, columns: int) -> Grid:
    """For each cell the colour with the most notes in it, -1 without any. Its cost is that of the notes and of the cells, however
    long the notes are."""
    sounding = np.zeros((len(COLOURS), rows, columns + 1), np.int64)
    np.add.at(sounding, (colour, row, first), 1)
    np.add.at(sounding, (colour, row, last), -1)
    counts = sounding.cumsum(axis=2)[:, :, :columns]
    found: Grid = np.where(counts.max(axis=0) > 0, counts.argmax(axis=0), -1)
    return found


def _cell(upper: int, lower: int, is_octave: bool, is_coloured: bool) -> tuple[str, str]:
    """The character of two cells and its style."""
    if upper < 0 and lower < 0:
        return ("┈" if is_octave else " "), "dim"
    if not is_coloured:
        return ("█" if min(upper, lower) >= 0 else "▀" if lower < 0 else "▄"), ""
    if upper == lower:
        return "█", f"color({COLOURS[upper]})"
    if min(upper, lower) < 0:
        return ("▀", f"color({COLOURS[upper]})") if lower < 0 else ("▄", f"color({COLOURS[lower]})")
    return "▀", f"color({COLOURS[upper]}) on color({COLOURS[lower]})"


def _drum_lines(pitch: npt.NDArray[np.uint8], first: Grid, columns: int) -> Iterator[Text]:
    """A line for each kind of drum that plays: how many strokes there are in a column, up to the most of any."""
    kinds = np.full(128, len(DRUMS))
    for i, pitches in enumerate(DRUMS.values()):
        kinds[list(pitches)] = i
    strokes = np.zeros((len(DRUMS) + 1, columns), np.int64)
    np.add.at(strokes, (kinds[pitch], first), 1)
    heights = -(-strokes * len(BARS) // strokes.max())
    for name, counts in zip((*DRUMS, OTHER_DRUMS), heights.tolist(), strict=True):
        if any(counts):
            bars = "".join(BARS[count - 1] if count else " " for count in counts)
            yield Text.assemble((_gutter(name), "dim"), (bars, f"color({DRUM_COLOUR})"))


def _legend(notes: Notes, tracks: npt.NDArray[np.uint16], width: int) -> Text:
    """The colour of each track with its number and its most frequent program, as many as there is room for."""
    text = Text.assemble((_gutter("tracks"), "dim"))
    room = width - GUTTER
    for i, track in enumerate(tracks.tolist()):
        program = int(np.bincount(notes.program[(notes.track == track) & ~notes.is_drum]).argmax())
        name = f"{track} {PROGRAMS[program]}"
        rest = f"and {len(tracks) - i} more"
        is_last = i == len(tracks) - 1
        if len(name) + 2 > room - (0 if is_last else len(f"and {len(tracks) - i - 1} more") + 2):
            text.append(fit_end(rest, room), style="dim")
            break
        text.append("█ ", style=f"color({COLOURS[i % len(COLOURS)]})")
        text.append(name + ("" if is_last else "  "))
        room -= len(name) + 4
    return text


def _gutter(name: str) -> str:
    return f"{name:>{GUTTER - 1}} "
