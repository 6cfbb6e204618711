"""Bars, half bars and beats of the declared time signatures, 4/4 until one is declared.

Time is counted in *subticks* of 1/64 tick: a bar, a half bar and a beat are then whole numbers whatever the signature and division.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import islice

SUBTICKS = 64  # per tick
MAX_SPANS = 1024
MAX_BEATS = 8192


@dataclass(frozen=True)
class Span:
    """Bars under one time signature; times and lengths are in subticks."""

    start: int
    end: float  # infinite for the last
    numerator: int
    bar: int
    halves: int  # 2 if half a bar is at least a dotted quarter; otherwise the bar is not halved, and this is 1
    beat: int

    @property
    def half_bar(self) -> int:
        """Length of half a bar, or of the bar if it is not halved."""
        return self.bar // self.halves

    @property
    def beats(self) -> int:
        """Beats of half a bar."""
        return self.half_bar // self.beat


def spans_of(signatures: list[tuple[int, int, int]], quarter: int, phase: int, first_onset: int) -> list[Span]:
    """Spans from (tick, numerator, denominator) in time order, each a real change; `quarter` and `first_onset` are in ticks.

    The bars have the phase of the beats, in 1/192 quarter; where notes begin before it there is one more bar.
    """
    if not signatures or signatures[0][0] > 0:
        signatures = [(0, 4, 4), *signatures]
    signatures = signatures[:MAX_SPANS]
    phase = (2 * phase - 1) * quarter * SUBTICKS // 384 if phase else 0  # where the positions that round to it begin
    ends = [SUBTICKS * tick + phase for tick, _, _ in signatures[1:]] + [math.inf]
    spans: list[Span] = []
    for (tick, numerator, denominator), end in zip(signatures, ends, strict=True):
        bar = 4 * SUBTICKS * quarter * numerator // denominator
        halves = 2 if numerator % 2 == 0 and bar >= 3 * SUBTICKS * quarter else 1
        upbeat = bar if not spans and SUBTICKS * first_onset < phase else 0
        beat = beat_of(bar // halves, numerator, denominator, SUBTICKS * quarter)
        spans.append(Span(SUBTICKS * tick + phase - upbeat, end, numerator, bar, halves, beat))
    return spans


def beat_of(half_bar: int, numerator: int, denominator: int, quarter: int) -> int:
    """The length of a beat: the shortest span in which a chord is estimated."""
    if denominator >= 8 and numerator % 3 == 0:
        return 3 * 4 * quarter // denominator
    if half_bar % quarter == 0:
        return quarter
    return quarter // 2 if denominator == 8 else half_bar


def bars_before(spans: list[Span], end: int) -> list[int]:
    """The number of bars of each span that have begun before `end`; the very first bar always has."""
    begun = [max(0, -((span.start - math.floor(min(span.end, end))) // span.bar)) for span in spans]
    return [max(1, begun[0]), *begun[1:]]


class Beats:
    """The beats of the given number of bars of each span, at most MAX_BEATS."""

    def __init__(self, spans: list[Span], bars: list[int]) -> None:
        all_of_them = (
            (start, span)
            for span, n in zip(spans, bars, strict=True)
            for start in range(span.start, math.floor(min(span.end, span.start + n * span.bar)), span.beat)
        )
        placed = list(islice(all_of_them, MAX_BEATS))
        self.starts = [start for start, _ in placed]
        self.spans = [span for _, span in placed]
        self.ends = self.starts[1:] + [start + span.beat for start, span in placed[-1:]]
        count = Counter(self.spans)
        self.main = max(spans, key=lambda span: count[span])  # the span with the most beats, the first on a tie

    def half_bars(self) -> list[range]:
        """The beats of each half bar; a time signature may cut the last one before it short."""
        found, first = [], 0
        for span, n in Counter(self.spans).items():
            found += [range(first + i, first + min(i + span.beats, n)) for i in range(0, n, span.beats)]
            first += n
        return found
