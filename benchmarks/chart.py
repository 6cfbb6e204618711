"""Expected and measured speed-ups as a bar chart, in SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence

from benchmarks.verdict import Speedup, format_ratio
from midiopt.display.svg import Chart

TITLE = "Speed-up by each optimisation"
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
    described = "; ".join(f"{s.on} against {s.off}: ×{format_ratio(s.median)}" for s, _ in rows)
    chart = Chart("speed-up", TITLE, f"{described}.", height, WIDTH)
    chart.text(16, 24, TITLE, class_=None, size=16, font_weight="bold")
    for left, colour, meaning in ((16, EXPECTED, "expected"), (116, FASTER, "measured, with quartiles")):
        chart.rect(left, 36, 22, 12, None, fill=colour)
        chart.text(left + 28, 46, meaning, class_=None, size=None)
    for tick in TICKS:
        if lowest <= tick <= highest:
            chart.line(x(tick), TOP - 6, x(tick), bottom, None, stroke="#444" if tick == 1 else "#ddd")
            chart.text(x(tick), bottom + 18, f"×{tick:g}", "middle", None, None)
    for i, (s, expected) in enumerate(rows):
        y = TOP + ROW * i
        if expected:
            begin, end = map(x, expected)
            chart.rect(begin, y, end - begin, 26, None, fill=EXPECTED)
        begin, end = sorted((x(1), x(s.median)))
        chart.rect(begin, y + 7, max(1, end - begin), 12, None, fill=FASTER if s.median >= 1 else SLOWER)
        chart.line(x(s.low), y + 13, x(s.high), y + 13, None, stroke="black", stroke_width=2)
        chart.text(max(x(s.high), end) + 6, y + 17, f"×{format_ratio(s.median)}", class_=None, size=None)
        chart.text(16, y + 12, s.optimisation, class_=None, size=None, font_weight="bold")
        chart.text(16, y + 25, f"{s.on} against {s.off}, {s.workload}", class_=None, size=10, fill="#555")
    return chart.file()
