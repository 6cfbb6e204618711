"""Lines over two logarithmic axes, in SVG: files/s by the number of something."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 720, 360, 70, 40, 300
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

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="16" y="24" font-size="16" font-weight="bold">{title}</text>',
    ]
    for power in range(low, high + 1):
        y = up(10**power)
        out.append(f'<line x1="{LEFT}" x2="{WIDTH - 120}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        out.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{10**power:,}</text>')
    for x in sorted({x for line in lines for x, _ in line.points}):
        out.append(f'<text x="{across(x):.1f}" y="{BOTTOM + 22}" text-anchor="middle">{x:,}</text>')
    for line in lines:
        places = [(across(x), up(y)) for x, y in line.points]
        colour, dash = COLOURS.get(line.name, "#999"), ' stroke-dasharray="6 4"' if line.is_dashed else ""
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
        out.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        out += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>' for a, b in places]
        out.append(f'<text x="{places[-1][0] + 8:.1f}" y="{places[-1][1] + 4:.1f}" fill="{colour}">{line.name}</text>')
    return "\n".join([*out, "</svg>", ""])
