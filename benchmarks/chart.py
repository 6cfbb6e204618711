"""Expected and measured speed-ups as a bar chart, in SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from benchmarks.verdict import Speedup, format_ratio

WIDTH, ROW, TOP, LEFT, RIGHT = 1080, 34, 64, 450, 90
TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)
EXPECTED, FASTER, SLOWER = "#c9c4b4", "#2f6f8f", "#b5523b"


def svg(rows: Sequence[tuple[Speedup, tuple[float, float] | None]]) -> str:
    """One bar per row from 1 to the median, a line between the quartiles, the expected range behind; the scale is logarithmic."""
    values = [value for speedup, expected in rows for value in (speedup.low, speedup.high, *(expected or ()))]
    lowest = max((t for t in TICKS if t <= min([0.9, *values])), default=TICKS[0])
    highest = min((t for t in TICKS if t >= max([2, *values])), default=TICKS[-1])
    per_decade = (WIDTH - LEFT - RIGHT) / math.log10(highest / lowest)

    def x(ratio: float) -> float:
        return LEFT + math.log10(min(max(ratio, lowest), highest) / lowest) * per_decade

    height = TOP + ROW * len(rows) + 34
    bottom = height - 30
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        '<text x="16" y="24" font-size="16" font-weight="bold">Speed-up by each optimisation</text>',
        f'<rect x="16" y="36" width="22" height="12" fill="{EXPECTED}"/><text x="44" y="46">expected</text>',
        f'<rect x="116" y="36" width="22" height="12" fill="{FASTER}"/><text x="144" y="46">measured, with quartiles</text>',
    ]
    for tick in TICKS:
        if lowest <= tick <= highest:
            colour = "#444" if tick == 1 else "#ddd"
            out.append(f'<line x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{TOP - 6}" y2="{bottom}" stroke="{colour}"/>')
            out.append(f'<text x="{x(tick):.1f}" y="{bottom + 18}" text-anchor="middle">×{tick:g}</text>')
    for i, (s, expected) in enumerate(rows):
        y = TOP + ROW * i
        if expected:
            begin, end = map(x, expected)
            out.append(f'<rect x="{begin:.1f}" y="{y}" width="{end - begin:.1f}" height="26" fill="{EXPECTED}"/>')
        begin, end = sorted((x(1), x(s.median)))
        colour = FASTER if s.median >= 1 else SLOWER
        out.append(f'<rect x="{begin:.1f}" y="{y + 7}" width="{max(1, end - begin):.1f}" height="12" fill="{colour}"/>')
        out.append(f'<line x1="{x(s.low):.1f}" x2="{x(s.high):.1f}" y1="{y + 13}" y2="{y + 13}" stroke="black" stroke-width="2"/>')
        out.append(f'<text x="{max(x(s.high), end) + 6:.1f}" y="{y + 17}">×{format_ratio(s.median)}</text>')
        out.append(f'<text x="16" y="{y + 12}" font-weight="bold">{escape(s.optimisation)}</text>')
        out.append(f'<text x="16" y="{y + 25}" font-size="10" fill="#555">{escape(f"{s.on} against {s.off}, {s.workload}")}</text>')
    return "\n".join([*out, "</svg>", ""])
