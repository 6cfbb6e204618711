"""Lines over two logarithmic axes, in SVG: files/s by the number of something."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

from midiopt.display.svg import Chart

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 720, 360, 70, 40, 300
NAME_HEIGHT = 14
COLOURS = {"SQLite": "#2f6f8f", "PostgreSQL": "#b5523b", "no database": "#6b6b6b"}


class Line(NamedTuple):
    """A line through points; its name stands at its end."""

    name: str
    points: list[tuple[float, float]]
    is_dashed: bool = False


def svg(title: str, lines: Sequence[Line]) -> str:
    """The chart. A power of ten marks the vertical axis, every x of a point the horizontal one."""
    xs = [math.log10(x) for line in lines for x, _ in line.points]
    ys = [math.log10(y) for line in lines for _, y in line.points]
    low, high = math.floor(min(ys)), math.ceil(max(ys))
    span = max(xs) - min(xs) or 1

    def across(x: float) -> float:
        return LEFT + 20 + (math.log10(x) - min(xs)) / span * (WIDTH - LEFT - 160)

    def up(y: float) -> float:
        return BOTTOM - (math.log10(y) - low) / ((high - low) or 1) * (BOTTOM - TOP)

    told = "; ".join(f"{line.name}: " + ", ".join(f"{y:,.0f} at {x:,}" for x, y in line.points) for line in lines)
    chart = Chart("chart", title, f"{told}.", HEIGHT, WIDTH)
    chart.text(16, 24, title, class_=None, size=16, font_weight="bold")
    for power in range(low, high + 1):
        y = up(10**power)
        chart.line(LEFT, y, WIDTH - 120, y, None, stroke="#ddd")
        chart.text(LEFT - 6, y + 4, f"{10**power:,}", "end", None, None)
    for x in sorted({x for line in lines for x, _ in line.points}):
        chart.text(across(x), BOTTOM + 22, f"{x:,}", "middle", None, None)
    names = apart([up(line.points[-1][1]) for line in lines])
    for line, name_at in zip(lines, names, strict=True):
        places = [(across(x), up(y)) for x, y in line.points]
        colour, dash = COLOURS.get(line.name, "#999"), "6 4" if line.is_dashed else None
        points = "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in places)
        chart.path(points, fill="none", stroke=colour, stroke_width=2, stroke_dasharray=dash)
        for a, b in places:
            chart.dot(a, b, 3, None, fill=colour)
        chart.text(places[-1][0] + 8, name_at + 4, line.name, class_=None, size=None, fill=colour)
    return chart.file()


def apart(heights: list[float]) -> list[float]:
    """The heights of names in the order of these, where names that would overlap are moved down."""
    placed = list(heights)
    for above, below in itertools.pairwise(sorted(range(len(heights)), key=heights.__getitem__)):
        placed[below] = max(placed[below], placed[above] + NAME_HEIGHT)
    return placed
