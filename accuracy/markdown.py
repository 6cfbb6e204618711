"""Markdown tables, as docs/accuracy.md has them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

CONFIDENCE_BANDS = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 1.0)
HIGH_CONFIDENCE = 0.8


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table; floats have three decimals."""
    lines = [head, ["---"] * len(head), *([f"{x:.3f}" if isinstance(x, float) else str(x) for x in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def reliability(answers: Sequence[tuple[float, bool]]) -> str:
    """The share of right answers per band of confidence, from (confidence, right); and how many are right above 0.8."""
    rows: list[list[object]] = []
    for low, high in pairwise(CONFIDENCE_BANDS):
        band = [(c, right) for c, right in answers if low <= c < high or c == high == 1]
        if band:
            rows.append([f"{low} to {high}", len(band), sum(c for c, _ in band) / len(band), sum(r for _, r in band) / len(band)])
    confident = [right for c, right in answers if c > HIGH_CONFIDENCE]
    right = [c for c, r in answers if r]
    precision = sum(confident) / max(len(confident), 1)
    recall = sum(c > HIGH_CONFIDENCE for c in right) / max(len(right), 1)
    bands = table(["confidence", "files", "mean confidence", "right"], rows)
    return f"{bands}\n\nAbove 0.8: {precision:.3f} right; of the right ones {recall:.3f} are above 0.8."
