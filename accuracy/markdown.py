"""Tables in Markdown, as docs/accuracy.md holds them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

BOUNDS = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 1.0)


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *([f"{x:.3f}" if isinstance(x, float) else str(x) for x in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def reliability(answers: Sequence[tuple[float, bool]]) -> str:
    """How often answers were right, by their confidence; and the share of the right ones above 0.8."""
    rows: list[list[object]] = []
    for low, high in pairwise(BOUNDS):
        held = [(c, right) for c, right in answers if low <= c < high or c == high == 1]
        if held:
            rows.append([f"{low} to {high}", len(held), sum(c for c, _ in held) / len(held), sum(r for _, r in held) / len(held)])
    sure = [right for c, right in answers if c > 0.8]
    right = [c for c, r in answers if r]
    above = sum(sure) / max(len(sure), 1)
    found = sum(c > 0.8 for c in right) / max(len(right), 1)
    bands = table(["confidence", "files", "mean confidence", "right"], rows)
    return f"{bands}\n\nAbove 0.8: {above:.3f} right; of the right ones {found:.3f} are above 0.8."
