"""The last run in words."""

from __future__ import annotations

import datetime as dt

from midiopt.library.queries import Run
from midiopt.pipeline.options import RunOptions
from midiopt.schema import STATUSES
from midiopt.wording import clock, counted

UNITS = (("day", 86400), ("hour", 3600), ("minute", 60))
ABNORMAL = "terminated abnormally (killed, or lost its database)"


def run_lines(run: Run | None, now: dt.datetime) -> list[str]:
    """How it ended and when, what it found, and which options were not the defaults."""
    if run is None:
        return ["none"]
    sources = ", ".join("standard input" if source == "@-" else source for source in run.sources)
    return [_outcome(run, now), *_found(run), f"from {sources}{_options(run)}; midiopt {run.version}, build {run.build}"]


def ago(moment: dt.datetime, now: dt.datetime) -> str:
    """How long ago, in the largest unit."""
    seconds = (now - moment).total_seconds()
    for name, unit in UNITS:
        if seconds >= unit:
            return f"{counted(int(seconds // unit), name)} ago"
    return "just now"


def _outcome(run: Run, now: dt.datetime) -> str:
    started = f"started {ago(run.started, now)} ({run.started:%Y-%m-%d %H:%M} UTC)"
    if run.outcome == "running":
        return f"running, {started}"
    if run.ended is None or run.seconds is None:
        return f"{ABNORMAL}, {started}; run the same command to resume"
    took = f"{run.seconds:.1f} s" if run.seconds < 60 else clock(run.seconds)
    ended = f"{run.outcome} {ago(run.ended, now)} ({run.ended:%Y-%m-%d %H:%M} UTC) after {took}"
    return ended + (f": {run.error}" if run.error else "")


def _found(run: Run) -> list[str]:
    if not run.ended:
        return []
    analysed = sum(getattr(run, status) or 0 for status in STATUSES if status != "opened")
    words = [f"{counted(run.files or 0, 'file')} found", f"{analysed:,} analysed", f"{run.skipped or 0:,} unchanged"]
    words += [f"{run.gone:,} no longer there"] if run.gone else []
    words += [f"{run.moved:,} moved"] if run.moved else []
    words += [f"{run.deleted:,} deleted from the database"] if run.deleted else []
    return [", ".join(words)]


def _options(run: Run) -> str:
    """The options that were given: unknown ones are of another version."""
    defaults = RunOptions()
    given = [(name, value) for name, value in run.options.items() if value != getattr(defaults, name, None)]
    words = [f"--{name.replace('_', '-')}" + ("" if value is True else f" {value}") for name, value in given]
    return f" with {' '.join(words)}" if words else ""
