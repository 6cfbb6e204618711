"""What a measured speed-up says, by a fixed rule."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

MIN_DIFFERENCE = 0.02  # a smaller one is reported as none


@dataclass(frozen=True)
class Speedup:
    """One variant without an optimisation against the variant with it, on the same items, in interleaved pairs."""

    optimisation: str
    workload: str
    on: str  # the variant with the optimisation
    off: str  # the variant without it
    on_seconds: float  # per item, the median
    off_seconds: float
    low: float  # the quartiles of the ratios: off seconds by on seconds of each pair
    median: float
    high: float

    @classmethod
    def of(cls, optimisation: str, workload: str, on: tuple[str, Sequence[float]], off: tuple[str, Sequence[float]]) -> Speedup:
        """From the name and the seconds of both variants; value i of one and value i of the other are a pair."""
        ratios = [b / a for a, b in zip(on[1], off[1], strict=True)]
        seconds = statistics.median(on[1]), statistics.median(off[1])
        return cls(optimisation, workload, on[0], off[0], *seconds, *quartiles(ratios))


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """The lower quartile, the median and the upper quartile."""
    low, median, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [*values] * 3
    return low, median, high


def verdict(speedup: Speedup, expected: tuple[float, float] | None) -> str:
    """``faster`` or ``slower`` if both quartiles are, by MIN_DIFFERENCE; then how that compares with the expected range.

    Quartiles that include both no difference and the expected range are ``unclear``.
    """
    if speedup.low > 1 + MIN_DIFFERENCE:
        result = "faster"
    elif speedup.high < 1 - MIN_DIFFERENCE:
        result = "slower"
    else:
        result = "no difference"
    if expected is None:
        return result
    lowest, highest = expected
    if speedup.high < lowest:
        return f"{result}: less than expected"
    if result == "no difference":
        return "unclear"
    return f"{result}: more than expected" if speedup.low > highest else f"{result}: as expected"


def format_ratio(ratio: float) -> str:
    """A ratio with three significant digits."""
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.1f}" if ratio >= 10 else f"{ratio:.2f}"
