"""midiopt analyze --watch: a run after each change of the sources."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing

from midiopt.errors import SourceError
from midiopt.pipeline.signals import Stop
from midiopt.sources.roots import find_roots
from midiopt.sources.watch import Watch, watch

MAX_SETTLE_TIME = 60.0  # seconds after the first change, where something changes all the time
FINISHED = (0, 3)  # exit codes of runs that finished
LOOK_INTERVAL = 0.5  # seconds between two looks for a signal


def watch_sources(sources: Sequence[str], follow_links: bool, quiet: bool, analyze: Callable[[], int]) -> int:
    """Analyse, and again after each change, until a signal or a run that cannot finish ends it; returns the exit code.

    Each run is an ordinary one over all sources, which skips what is unchanged, so that the rows are the same. The next one begins at
    the earliest after as long as the last one took. What changes while it runs is found by the next one.
    """
    roots = find_roots(sources)
    if lists := [root for root in roots if root.startswith(b"@")]:
        raise SourceError(f"--watch takes folders and files, no list of paths, as {os.fsdecode(lists[0])} is")
    with closing(watch(roots, follow_links)) as watched:
        while True:
            began = time.monotonic()
            code = analyze()
            if code not in FINISHED:
                return code
            if not quiet:
                print("midiopt: waiting for changes; Ctrl-C ends it", file=sys.stderr)
            if number := _wait(watched, time.monotonic() - began):
                return 128 + number


def _wait(watched: Watch, pause: float) -> int:
    """Wait for a change, and until nothing changes any more; the number of the signal that came instead, or 0."""
    stop = Stop()
    with stop.on_signals():
        earliest = time.monotonic() + pause
        while not stop.is_requested() and not watched.changed(LOOK_INTERVAL):
            pass
        first = last = time.monotonic()
        while not stop.is_requested():
            now = time.monotonic()
            if now >= earliest and (now - last >= watched.settle_time or now - first >= MAX_SETTLE_TIME):
                break
            if watched.changed(LOOK_INTERVAL):
                last = time.monotonic()
    return stop.signal
