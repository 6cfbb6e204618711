"""From counts to bars: ranges of a number, quartiles, and the most frequent values."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from midiopt.display.svg import Bar
from midiopt.wording import counted

BPM_EDGES = (0, *range(40, 225, 5))
SECOND_EDGES = (0, 2, 5, 10, 15, 30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 360, 480, 600, 1200, 3600)
NOTE_EDGES = (0, 1, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)
POLYPHONY_EDGES = (*range(17), 20, 24, 32)


def percent(part: float, whole: float) -> str:
    """A share: whole per cents, decimals where it is small."""
    share = 100 * part / whole if whole else 0.0
    if 99 < share < 100:
        return f"{min(share, 99.9):.1f} %"
    return f"{share:.0f} %" if share >= 10 or share == 0 else f"{share:.1f} %" if share >= 0.1 else "under 0.1 %"


def histogram(counts: Mapping[int, int], edges: Sequence[int], text: Callable[[int], str]) -> list[Bar]:
    """A bar for each range of whole numbers from an edge to the next, the last one without an end."""
    files = [0] * len(edges)
    for value, number in counts.items():
        files[max(bisect_right(edges, value) - 1, 0)] += number
    total = sum(files)
    bars = []
    for i, (edge, number) in enumerate(zip(edges, files, strict=True)):
        last = i == len(edges) - 1
        is_one = not last and edges[i + 1] == edge + 1
        label = f"{text(edge)} or more" if last else text(edge) if is_one else f"{text(edge)} to {text(edges[i + 1])}"
        bars.append(Bar(label, number, f"{label}: {counted(number, 'file')}, {percent(number, total)}"))
    return bars


def quartiles(counts: Mapping[int, int]) -> tuple[int, int, int]:
    """The values below which a quarter, a half and three quarters of the files are; 0 without any."""
    total, seen = sum(counts.values()), 0
    found: list[int] = []
    for value in sorted(counts):
        seen += counts[value]
        while len(found) < 3 and 4 * seen >= (len(found) + 1) * total:
            found.append(value)
    first, median, third = found or (0, 0, 0)
    return first, median, third


def most_frequent(counts: Counter[Any], names: Callable[[Any], str], limit: int, whole: int = 0) -> list[Bar]:
    """The bars of the most frequent values, and of all others together. Shares are of `whole`, or of the sum."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    total = whole or sum(counts.values())
    bars = [Bar(names(value), files, f"{counted(files, 'file')}, {percent(files, total)}") for value, files in ranked[:limit]]
    if len(ranked) > limit and not whole:
        rest = sum(files for _, files in ranked[limit:])
        bars.append(Bar(f"{len(ranked) - limit} others", rest, f"{counted(rest, 'file')}, {percent(rest, total)}"))
    return bars


def tenths(counts: Mapping[int, int]) -> list[tuple[int, int]]:
    """Of each tenth of a confidence the estimates that are right, and all: see report_counts."""
    return [(counts.get(2 * tenth + 1, 0), counts.get(2 * tenth, 0) + counts.get(2 * tenth + 1, 0)) for tenth in range(10)]


def spoken(bars: Sequence[Bar]) -> str:
    """What a description says of a chart: its three greatest bars."""
    ranked = sorted((bar for bar in bars if bar.value), key=lambda bar: -bar.value)[:3]
    return "; ".join(f"{bar.label}: {bar.value:,.0f} files" for bar in ranked) or "nothing to show"
