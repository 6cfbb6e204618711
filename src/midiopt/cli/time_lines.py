"""Lines below a piano roll that share its time axis: chords, key, meter, tempo and the clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count

import numpy as np
from rich.text import Text

from midiopt.api.harmony import Harmony
from midiopt.api.tempo_map import TempoMap
from midiopt.cli.piano_roll import BARS, GUTTER
from midiopt.wording import clock

STEPS = (
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
)  # seconds between marks of the clock; from an hour on, 1, 2 and 5 of powers of ten
MAX_LINES = 3  # of chords, or of keys
MARK_COLUMNS = 10  # at least, from one mark to the next

Label = tuple[float, str]  # where it begins, as a share of the time shown, and its text


def time_lines(harmony: Harmony, tempo: TempoMap, seconds: float, width: int) -> Iterator[Text]:
    """The lines of the first so many seconds in `width` columns. A line without anything to show is left out."""
    columns = width - GUTTER
    for name, segments in (("chords", harmony.chords), ("key", harmony.keys)):
        labels = [(start / seconds, text) for start, text in zip(segments.seconds.tolist(), segments.name, strict=True)]
        yield from _label_lines(name, labels, columns)
    begins = tempo.seconds_at([signature.tick for signature in tempo.time_signatures] or [0]).tolist()
    meters = [f"{signature.numerator}/{signature.denominator}" for signature in tempo.time_signatures]
    yield from _label_lines("meter", [(start / seconds, meter) for start, meter in zip(begins, meters, strict=False)], columns)
    yield from _tempo_lines(tempo, seconds, columns)
    yield _line("", _placed(_clock_marks(seconds, columns), columns, 1)[0][0])


def _line(name: str, text: str) -> Text:
    return Text.assemble((f"{name:>{GUTTER - 1}} ", "dim"), text)


def _label_lines(name: str, labels: Sequence[Label], columns: int) -> Iterator[Text]:
    """The labels on as few lines as hold them, and how many are left out where even MAX_LINES do not."""
    lines, count = _placed(labels, columns, MAX_LINES)
    for i, line in enumerate(lines):
        yield _line("" if i else name, line)
    if count < len(labels):
        remark = f"{count:,} of {len(labels):,} {name} have room" if name.endswith("s") else f"{count:,} of {len(labels):,} have room"
        yield Text.assemble(" " * GUTTER, (remark, "dim"))


def _placed(labels: Iterable[Label], columns: int, max_lines: int) -> tuple[list[str], int]:
    """Lines with each label at its column, in the first line where it touches no other, and the number of those that have room."""
    lines: list[str] = []
    count = 0
    for start, text in labels:
        column = int(start * columns)
        room = (i for i, line in enumerate(lines) if column > len(line))
        place = next(room, len(lines))
        if place == max_lines or column + len(text) > columns:
            continue
        lines[place : place + 1] = [(lines[place] if place < len(lines) else "").ljust(column) + text]
        count += 1
    return lines, count


def _tempo_lines(tempo: TempoMap, seconds: float, columns: int) -> Iterator[Text]:
    """The values where they begin, or, where one line does not hold them, bars from the slowest to the fastest."""
    starts, bpm = tempo.seconds[tempo.seconds < seconds], tempo.bpm[tempo.seconds < seconds]
    rounded = [f"{value:.0f}" for value in bpm.tolist()]
    changes = [i for i, value in enumerate(rounded) if i == 0 or value != rounded[i - 1]]
    lines, count = _placed([(starts[i] / seconds, rounded[i]) for i in changes], columns, 1)
    if count == len(changes):
        yield _line("bpm", lines[0])
        return
    means = _column_means(starts, bpm, seconds, columns)
    slowest, fastest = min(means), max(means)
    scale = (len(BARS) - 1) / (fastest - slowest or 1)
    yield _line("bpm", "".join(BARS[int((value - slowest) * scale + 0.5)] for value in means))
    yield Text.assemble(" " * GUTTER, (f"{BARS[0]} {slowest:.0f} to {BARS[-1]} {fastest:.0f} quarters per minute", "dim"))


def _column_means(starts: np.ndarray, bpm: np.ndarray, seconds: float, columns: int) -> list[float]:
    """The mean tempo over the time of each column."""
    edges = np.linspace(0, seconds, columns + 1)
    beats = np.concatenate([[0.0], np.cumsum(np.diff(starts) * bpm[:-1])])
    segment = np.searchsorted(starts, edges, side="right") - 1
    at_edges = beats[segment] + (edges - starts[segment]) * bpm[segment]
    means: list[float] = (np.diff(at_edges) / np.diff(edges)).tolist()
    return means


def _clock_marks(seconds: float, columns: int) -> Iterator[Label]:
    shortest = seconds * MARK_COLUMNS / columns
    step = next(step for step in _steps() if step >= shortest)
    return ((at / seconds, clock(at)) for at in (step * i for i in range(int(seconds / step) + 1)))


def _steps() -> Iterator[float]:
    yield from STEPS
    for power in count():
        yield from (hours * 3600 * 10.0**power for hours in (1, 2, 5))
