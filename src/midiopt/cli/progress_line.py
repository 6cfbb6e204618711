"""The state of a run as one line: a bar, what is left, how fast, how many. The most wanted come first, and a narrow terminal leaves out
the others.
"""

from __future__ import annotations

from midiopt.pipeline.summary import Summary
from midiopt.schema import OK, OPENED, STATUSES
from midiopt.wording import clock

GAP = "  "
MIN_BAR, GOOD_BAR, MAX_BAR = 4, 12, 30  # characters; with more than a good bar there is room for the less wanted
TIME_WIDTH, SPEED_WIDTH = len("00:00 left"), len("11,300 files/s")
FULL, EMPTY = "━", "─"


def wanted(summary: Summary, seconds: float, total: int | None) -> list[str]:
    """What everybody wants to see: percentage and time left, then the rate, then the number of files. Each keeps its width."""
    done = done_files(summary)
    rate = summary.analysed / seconds if seconds else 0
    speed = f"{rate:,.0f} files/s".rjust(SPEED_WIDTH)
    if total is None:
        return [speed, f"{done:,} of {summary.files:,} found so far"]
    left = "finishing" if done >= total else f"{clock((total - done) / rate)} left" if rate else "starting"
    return [
        f"{100 * done // total if total else 100:3}%",
        left.rjust(TIME_WIDTH),
        speed,
        f"{done:,}/{total:,}".rjust(2 * len(f"{total:,}") + 1),
    ]


def less_wanted(summary: Summary, seconds: float) -> list[str]:
    """What a wide terminal shows, too: what is not ok, then the rest."""
    parts = [f"{getattr(summary, name):,} {name}" for i, name in enumerate(STATUSES) if i not in (OK, OPENED) and getattr(summary, name)]
    parts += [f"{summary.skipped:,} unchanged"] if summary.skipped else []
    return [*parts, f"{summary.bytes / max(seconds, 1e-9) / 1e6:,.1f} MB/s".rjust(len("100.0 MB/s"))]


def done_files(summary: Summary) -> int:
    """Number of files that the run is through with."""
    return summary.analysed + summary.opened + summary.skipped


def plain_line(summary: Summary, seconds: float, total: int | None) -> str:
    """Everything, for a log."""
    return ", ".join(part.strip() for part in (*wanted(summary, seconds, total), *less_wanted(summary, seconds)))


def live_line(summary: Summary, seconds: float, total: int | None, width: int) -> tuple[int, int, str]:
    """A line of at most ``width`` columns: the number of filled and of empty characters of its bar, and what follows it."""
    texts = wanted(summary, seconds, total)
    while len(texts) > 1 and len(GAP.join(texts)) > width:
        texts.pop()
    for part in less_wanted(summary, seconds):
        if len(GAP.join([*texts, part])) + len(GAP) + GOOD_BAR <= width:
            texts.append(part)
    text = GAP.join(texts)
    room = min(MAX_BAR, width - len(text) - len(GAP))
    if total is None or room < MIN_BAR:
        return 0, 0, text[:width]
    filled = room * done_files(summary) // total if total else room
    return filled, room - filled, GAP + text


def bar_text(line: tuple[int, int, str]) -> str:
    """The line as plain characters."""
    filled, empty, text = line
    return FULL * filled + EMPTY * empty + text
