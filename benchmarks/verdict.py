"""What a measured ratio says, by a rule."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

MATTERS = 0.02  # a smaller difference is called none


@dataclass(frozen=True)
class Measured:
    """One way without an idea against the way with it, on the same items in turns."""

    idea: str
    work: str
    on: str
    off: str
    on_seconds: float  # an item, the median
    off_seconds: float
    low: float  # the middle half of the ratios of neighbouring turns ...
    middle: float  # ... and their median: so many times as fast with the idea
    high: float

    @classmethod
    def of(cls, idea: str, work: str, on: tuple[str, Sequence[float]], off: tuple[str, Sequence[float]]) -> Measured:
        ratios = [b / a for a, b in zip(on[1], off[1], strict=True)]
        seconds = statistics.median(on[1]), statistics.median(off[1])
        return cls(idea, work, on[0], off[0], *seconds, *quartiles(ratios))


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [*values] * 3
    return low, middle, high


def verdict(measured: Measured, expected: tuple[float, float] | None) -> str:
    """Faster or slower when the whole middle half is, by more than MATTERS; beside an expectation, where it lies to that.

    A middle half that holds both no difference and the expectation is unclear.
    """
    if measured.low > 1 + MATTERS:
        says = "faster"
    elif measured.high < 1 - MATTERS:
        says = "slower"
    else:
        says = "no difference"
    if expected is None:
        return says
    lowest, highest = expected
    if measured.high < lowest:
        return f"{says}: less than expected"
    if says == "no difference":
        return "unclear"
    return f"{says}: more than expected" if measured.low > highest else f"{says}: as expected"


def times(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.1f}" if ratio >= 10 else f"{ratio:.2f}"
